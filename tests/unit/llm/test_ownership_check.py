"""A request is sent only if a recent check found that the worker owns the task."""

from __future__ import annotations

import httpx
import pytest

from gencode.domain.errors import Conflict
from gencode.llm.http_client import model_client
from gencode.llm.ownership_check import MAX_AGE, MAX_CHECKS, OwnershipCheck
from gencode.outbound.lazy_transport import BEFORE_SEND
from tests.servers.model import model_server, text


class Verification:
    """Each call takes the next of these seconds; then they take none."""

    def __init__(self, *seconds: float) -> None:
        self.now = 100.0
        self.calls = 0
        self._seconds = list(seconds)

    async def __call__(self) -> None:
        self.calls += 1
        self.now += self._seconds.pop(0) if self._seconds else 0.0


@pytest.mark.parametrize(
    ("seconds", "calls"),
    [([], 1), ([MAX_AGE], 1), ([MAX_AGE * 2], 2), ([MAX_AGE * 2] * 9, MAX_CHECKS)],
)
async def test_a_slow_check_is_repeated(seconds: list[float], calls: int) -> None:
    verification = Verification(*seconds)
    await OwnershipCheck(verification, lambda: verification.now).check()
    assert verification.calls == calls


@pytest.mark.parametrize(("later", "calls"), [(0.0, 1), (MAX_AGE, 1), (MAX_AGE * 2, 2)])
async def test_an_old_check_is_repeated(later: float, calls: int) -> None:
    verification = Verification()
    ownership = OwnershipCheck(verification, lambda: verification.now)
    await ownership.check()
    verification.now += later
    await ownership.check()
    assert verification.calls == calls


async def test_nothing_is_sent_over_a_new_or_a_used_connection_if_the_check_fails() -> None:
    async def refuse() -> None:
        raise Conflict("another worker has the task")

    async with model_server(text("hello")) as model, model_client() as client:
        request = ("POST", f"{model.base_url}/chat")
        for _ in range(2):
            refused = client.build_request(*request, json={"messages": []}, extensions={BEFORE_SEND: refuse})
            with pytest.raises(Conflict):
                await client.send(refused)
            sent = len(model.requests)
            allowed = await client.send(httpx.Request(*request, json={"messages": []}))
            assert (allowed.status_code, len(model.requests)) == (200, sent + 1)
        assert len(model.requests) == 2
