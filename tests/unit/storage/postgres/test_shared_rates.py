"""Two processes that count the same submissions: each has a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gencode.domain.errors import StoreError
from gencode.storage.postgres.rate_window import PostgresRateWindow, open_rate_window
from gencode.storage.postgres.store import open_postgres
from tests.servers.postgres import PostgresServer
from tests.unit.storage.postgres.stores import end_connections, execute

Windows = tuple[PostgresRateWindow, PostgresRateWindow]


@pytest.fixture
async def windows(postgres: str) -> AsyncIterator[Windows]:
    async with (
        open_postgres(postgres),
        open_rate_window(postgres) as one,
        open_rate_window(postgres) as other,
    ):
        yield one, other


def move_hits(dsn: str, by: str) -> None:
    execute(dsn, f"UPDATE gencode.rate_hits SET at = at + interval '{by}', ends = ends + interval '{by}'")


async def test_the_submissions_of_all_processes_count(windows: Windows) -> None:
    one, other = windows
    assert (await one.spend("a", 2, 3600)).remaining == 1
    assert (await other.spend("a", 2, 3600)).remaining == 0
    for window in windows:
        assert not (await window.spend("a", 2, 3600)).allowed


async def test_processes_that_count_many_names_crosswise_do_not_wait_for_each_other(windows: Windows) -> None:
    names = [f"client {number}" for number in range(40)]
    orders = (names, names[::-1]) * 10
    spends = [window.spend(name, 15, 3600) for window in windows for order in orders for name in order]
    spent = await asyncio.gather(*spends)
    assert [one.allowed for one in spent].count(True) == 15 * len(names)


async def test_a_clock_that_was_set_back_refuses_nobody(windows: Windows, postgres: str) -> None:
    await windows[0].spend("a", 1, 60)
    execute(
        postgres, "UPDATE gencode.rate_hits SET at = at + interval '1 hour', ends = ends + interval '1 hour'"
    )
    assert (await windows[1].spend("a", 1, 60)).allowed


async def test_old_submissions_are_deleted(windows: Windows, postgres: str) -> None:
    for number in range(4):
        await windows[0].spend(f"gone {number}", 1, 60)
    execute(
        postgres, "UPDATE gencode.rate_hits SET at = at - interval '1 hour', ends = ends - interval '1 hour'"
    )
    await windows[1].spend("a", 1, 60)
    assert execute(postgres, "SELECT name FROM gencode.rate_hits") == [("a",)]


async def test_a_lost_connection_is_made_anew(windows: Windows, postgres: str) -> None:
    await windows[0].spend("a", 9, 60)
    end_connections(postgres)
    assert (await windows[0].spend("a", 9, 60)).allowed


async def test_a_database_that_is_gone_is_told(
    windows: Windows, postgres: str, postgres_server: PostgresServer
) -> None:
    await windows[0].spend("a", 9, 60)
    postgres_server.drop_database(postgres)
    with pytest.raises(StoreError):
        await windows[0].spend("a", 9, 60)
