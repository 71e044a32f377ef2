"""A small run of the campaign of answers: the file is the original, or the answer was refused."""

from __future__ import annotations

import pytest

from tests.campaigns.answers import RIGHT, WRONG, run
from tests.campaigns.corpus import FIXED


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_mixture_delivers_another_file(seed: int) -> None:
    counts = await run(200, seed, [FIXED])
    assert not [name for name, result in counts if result == WRONG]
    assert sum(count for (_, result), count in counts.items() if result == RIGHT) > 100
