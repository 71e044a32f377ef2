"""The contract of `gencode.engine.ports.rate_window.RateWindow`, for each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gencode.engine.ports.rate_window import RateWindow
from gencode.http.rate_limit import LocalWindow
from gencode.storage.postgres.rate_window import open_rate_window
from gencode.storage.postgres.store import open_postgres


@pytest.fixture(params=["in process", "postgresql"])
async def window(request: pytest.FixtureRequest) -> AsyncIterator[RateWindow]:
    if request.param == "in process":
        yield LocalWindow()
        return
    dsn = request.getfixturevalue("postgres")
    async with open_postgres(dsn), open_rate_window(dsn) as opened:
        yield opened


async def test_so_many_are_allowed_and_no_more(window: RateWindow) -> None:
    spent = [await window.spend("a", 3, 3600) for _ in range(5)]
    assert [one.allowed for one in spent] == [True, True, True, False, False]
    assert [one.remaining for one in spent] == [2, 1, 0, 0, 0]
    assert all(3500 < one.reset <= 3600 for one in spent)


async def test_names_do_not_count_for_each_other(window: RateWindow) -> None:
    for name in ("a", "b", "a 中", "a'"):
        assert (await window.spend(name, 1, 3600)).allowed
        assert not (await window.spend(name, 1, 3600)).allowed


async def test_a_submission_that_was_refused_does_not_count(window: RateWindow) -> None:
    assert (await window.spend("a", 1, 3600)).allowed
    assert not (await window.spend("a", 1, 3600)).allowed
    assert (await window.spend("a", 2, 3600)).allowed


async def test_what_left_the_window_counts_no_more(window: RateWindow) -> None:
    assert (await window.spend("a", 1, 1)).allowed
    await asyncio.sleep(1.1)
    assert (await window.spend("a", 1, 1)).allowed


async def test_of_submissions_at_the_same_time_no_more_are_allowed(window: RateWindow) -> None:
    names = ["a", "b", "c"] * 20
    spent = await asyncio.gather(*(window.spend(name, 7, 3600) for name in names))
    for name in "abc":
        allowed = [one.allowed for one, of in zip(spent, names, strict=True) if of == name]
        assert allowed.count(True) == 7
