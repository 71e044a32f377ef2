"""The contract of `gencode.engine.ports.named_locks.NamedLocks`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from gencode.engine.ports.named_locks import NamedLocks
from gencode.storage.postgres.call_slots import SharedSlots
from gencode.storage.postgres.statement_runner import open_statement_runner
from gencode.storage.postgres.store import open_postgres


@pytest.fixture
async def processes(postgres: str) -> AsyncIterator[tuple[NamedLocks, NamedLocks]]:
    async with (
        open_postgres(postgres),
        open_statement_runner(postgres) as one,
        open_statement_runner(postgres) as other,
    ):
        yield SharedSlots(one, lease=60), SharedSlots(other, lease=60)


async def test_one_process_at_a_time_holds_the_lock(processes: tuple[NamedLocks, NamedLocks]) -> None:
    holders, most = [0], [0]

    async def take(locks: NamedLocks) -> None:
        async with locks.lock("a"):
            holders[0] += 1
            most[0] = max(holders[0], most[0])
            await anyio.sleep(0.005)
            holders[0] -= 1

    async with anyio.create_task_group() as group:
        for locks in processes * 4:
            group.start_soon(take, locks)
    assert most[0] == 1


async def test_names_do_not_wait_for_each_other(processes: tuple[NamedLocks, NamedLocks]) -> None:
    async with processes[0].lock("a"), processes[1].lock("b"):
        pass


async def test_changes_raise_the_version_for_all(
    processes: tuple[NamedLocks, NamedLocks],
) -> None:
    found = []
    for locks, changes in ((0, False), (1, False), (1, True), (0, False), (0, True), (1, False)):
        async with processes[locks].lock("a", changes=changes) as value:
            found.append(value)
    first = found[0]
    assert [value - first for value in found] == [0, 0, 0, 1, 1, 2]


async def test_a_failed_holder_releases_the_lock(processes: tuple[NamedLocks, NamedLocks]) -> None:
    with pytest.raises(ValueError, match="it failed"):
        async with processes[0].lock("a", changes=True) as before:
            raise ValueError("it failed")
    async with processes[1].lock("a") as after:
        assert after == before + 1
