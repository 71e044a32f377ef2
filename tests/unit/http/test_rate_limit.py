from __future__ import annotations

import time

import anyio
import pytest
from limits import parse

from gencode.domain.errors import StoreError
from gencode.engine.ports.rate_window import RateWindow, Spent
from gencode.http import rate_limit
from gencode.http.rate_limit import LocalWindow, OverLimit, RateLimiter


class Clocks:
    """The wall clock (also time.time, which the library reads) and the steady one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.steady = 1_800_000_000.0, 50.0
        monkeypatch.setattr(time, "time", lambda: self.wall)

    def limit(self, rate: str) -> RateLimiter:
        return RateLimiter(parse(rate), local=self.window())

    def window(self) -> LocalWindow:
        return LocalWindow(lambda: self.wall, lambda: self.steady)

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


async def test_the_window_moves(clocks: Clocks) -> None:
    limit = clocks.limit("2/minute")
    assert (await limit.spend("a"))["RateLimit-Remaining"] == "1"
    clocks.advance(40)
    assert (await limit.spend("a"))["RateLimit-Remaining"] == "0"
    with pytest.raises(OverLimit) as caught:
        await limit.spend("a")
    assert caught.value.retry_after == 20
    assert caught.value.headers == {
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "20",
    }
    clocks.advance(20.5)
    await limit.spend("a")
    with pytest.raises(OverLimit):
        await limit.spend("a")


async def test_a_principal_may_have_a_rate_of_its_own(clocks: Clocks) -> None:
    rates = {"a": "1/minute"}
    limit = RateLimiter(parse("3/minute"), lambda name: rates.get(name, ""), clocks.window())
    assert (await limit.spend("a"))["RateLimit-Limit"] == "1"
    with pytest.raises(OverLimit, match="1 per 1 minute"):
        await limit.spend("a")
    assert (await limit.spend("b"))["RateLimit-Remaining"] == "2"
    rates["a"] = "2/hour"
    assert (await limit.spend("a"))["RateLimit-Limit"] == "2"


async def test_each_principal_has_a_window_of_its_own(clocks: Clocks) -> None:
    limit = clocks.limit("1/minute")
    await limit.spend("a")
    await limit.spend("b")
    with pytest.raises(OverLimit):
        await limit.spend("a")


@pytest.mark.fault(69)
@pytest.mark.parametrize("jump", [-1e9, -3600, -2, 2, 3600, 1e9])
async def test_a_clock_change_clears_the_counts_but_not_the_limit(clocks: Clocks, jump: float) -> None:
    """Row 69: no principal waits for the hour by which the clock was set back."""
    limit = clocks.limit("2/minute")
    for _ in range(2):
        await limit.spend("a")
    clocks.wall += jump
    for _ in range(2):
        await limit.spend("a")
    with pytest.raises(OverLimit) as caught:
        await limit.spend("a")
    assert 0 < (caught.value.retry_after or 0) <= 60


async def test_a_small_clock_correction_clears_nothing(clocks: Clocks) -> None:
    limit = clocks.limit("1/minute")
    await limit.spend("a")
    clocks.wall += 0.5
    with pytest.raises(OverLimit):
        await limit.spend("a")


async def test_estimates_have_a_limit_of_their_own(clocks: Clocks) -> None:
    limit = clocks.limit("1/minute")
    await limit.spend("a", "estimate")
    await limit.spend("a")
    with pytest.raises(OverLimit):
        await limit.spend("a", "estimate")


class AwayWindow:
    """A database that is away."""

    async def spend(self, name: str, amount: int, seconds: int) -> Spent:
        raise StoreError("the database cannot be reached")


class HangingWindow:
    async def spend(self, name: str, amount: int, seconds: int) -> Spent:
        await anyio.sleep_forever()
        raise AssertionError


@pytest.mark.parametrize("shared", [AwayWindow(), HangingWindow()])
async def test_without_the_database_this_process_alone_counts(
    clocks: Clocks, shared: RateWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is refused for it, and the limit still holds."""
    monkeypatch.setattr(rate_limit, "SHARED_SECONDS", 0.05)
    limit = RateLimiter(parse("1/minute"), local=clocks.window(), shared=shared)
    assert (await limit.spend("a"))["RateLimit-Remaining"] == "0"
    with pytest.raises(OverLimit):
        await limit.spend("a")
