from __future__ import annotations

import pytest

from gencode.storage.postgres.lock_attempts import ATTEMPTS, acquired


@pytest.mark.parametrize(("refused", "is_acquired"), [(0, True), (ATTEMPTS - 1, True), (ATTEMPTS, False)])
async def test_a_lock_is_tried_for_as_long_as_an_ended_process_may_hold_it(
    refused: int, is_acquired: bool
) -> None:
    attempts, pauses = 0, 0

    async def attempt() -> bool:
        nonlocal attempts
        attempts += 1
        return attempts > refused

    async def sleep(_seconds: float) -> None:
        nonlocal pauses
        pauses += 1

    assert await acquired(attempt, sleep) == is_acquired
    assert (attempts, pauses) == (min(refused + 1, ATTEMPTS), min(refused, ATTEMPTS - 1))
