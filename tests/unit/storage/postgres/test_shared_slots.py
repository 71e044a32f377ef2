"""Two processes that share slots: each has a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.resilience.call_slots import CallSlots
from gencode.storage.postgres.call_slots import SharedSlots
from gencode.storage.postgres.statement_runner import open_statement_runner
from gencode.storage.postgres.store import open_postgres
from tests.servers.postgres import PostgresServer
from tests.unit.storage.postgres.stores import end_connections, execute

Processes = tuple[SharedSlots, SharedSlots]
WAITS = (50.0,)
LEASE = 60.0


@pytest.fixture
async def processes(postgres: str) -> AsyncIterator[Processes]:
    async with (
        open_postgres(postgres),
        open_statement_runner(postgres) as one,
        open_statement_runner(postgres) as other,
    ):
        yield SharedSlots(one, LEASE), SharedSlots(other, LEASE)


async def assert_full(account: CallSlots) -> None:
    """A call that begins now waits."""
    with anyio.move_on_after(0.3):
        async with account.hold():
            raise AssertionError("a slot was free")


async def assert_free(account: CallSlots) -> None:
    async with account.hold():
        pass


async def test_the_calls_of_all_processes_count(processes: Processes) -> None:
    one, other = (process.slots("a", 3) for process in processes)
    running, most, full = [0], [0], anyio.Event()

    async def call(account: CallSlots) -> None:
        for _ in range(5):
            async with account.hold():
                running[0] += 1
                most[0] = max(most[0], running[0])
                if running[0] == 3:
                    full.set()
                await full.wait()
                await anyio.sleep(0.002)
                running[0] -= 1

    async with anyio.create_task_group() as group:
        for account in (one, other) * 5:
            group.start_soon(call, account)
    assert most[0] == 3


async def test_a_slot_is_another_processs_after_its_call(processes: Processes) -> None:
    one, other = (process.slots("a", 1) for process in processes)
    async with one.hold():
        await assert_full(other)
    await assert_free(other)


async def test_a_pause_holds_in_the_other_process_too(processes: Processes) -> None:
    one, other = (process.slots("a", 4) for process in processes)
    await one.rate_limited(50.0, WAITS, 120)
    await assert_full(other)
    assert 40 < other.pause <= 50
    assert await other.rate_limited(None, WAITS, 120) == pytest.approx(50, abs=10)


async def test_writes_of_two_processes_are_apart(processes: Processes) -> None:
    times: list[tuple[float, float]] = []

    async def write(account: CallSlots) -> None:
        async with account.hold():
            begin = anyio.current_time()
            await anyio.sleep(0.02)
            times.append((begin, anyio.current_time()))

    async with anyio.create_task_group() as group:
        for process in processes * 2:
            group.start_soon(write, process.slots("git", 1, 0.3))
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(times)]
    assert len(gaps) == 3
    assert all(gap > 0.25 for gap in gaps)


async def test_a_process_that_died_leaves_its_slot_when_its_lease_ends(postgres: str) -> None:
    async with (
        open_postgres(postgres),
        open_statement_runner(postgres) as one,
        open_statement_runner(postgres) as other,
    ):
        dead = SharedSlots(one, lease=1.0).slots("a", 1).hold()  # nothing renews it
        await dead.__aenter__()
        async with SharedSlots(other, LEASE).slots("a", 1).hold():
            held = execute(postgres, "SELECT holder FROM gencode.call_slots")
        assert len(held) == 1
        await dead.__aexit__(None, None, None)  # late: the slot is not its own any more
        assert execute(postgres, "SELECT count(*) FROM gencode.call_slots WHERE until <= now()") == [(1,)]


async def test_a_call_that_takes_longer_than_a_lease_keeps_its_slot(
    processes: Processes, postgres: str
) -> None:
    one, other = processes
    async with one.slots("a", 1).hold():
        before = execute(postgres, "SELECT until FROM gencode.call_slots")
        await one.renew()
        after = execute(postgres, "SELECT until FROM gencode.call_slots")
        await other.renew()
        assert execute(postgres, "SELECT until FROM gencode.call_slots") == after
    assert after > before


async def test_a_lost_connection_is_made_anew(processes: Processes, postgres: str) -> None:
    account = processes[0].slots("a", 1)
    async with account.hold():
        end_connections(postgres)
    await assert_free(processes[1].slots("a", 1))
    async with account.hold():
        pass


async def test_a_clock_that_was_set_back_blocks_nothing(processes: Processes, postgres: str) -> None:
    account = processes[0].slots("a", 1)
    async with account.hold():
        pass
    await account.rate_limited(None, (0.01,), 120)
    execute(postgres, "UPDATE gencode.call_slots SET until = now() + interval '1 hour', holder = 'x'")
    execute(postgres, "UPDATE gencode.call_pauses SET until = now() + interval '1 hour'")
    await assert_free(processes[1].slots("a", 1))


async def test_without_the_database_a_call_is_refused_and_a_pause_holds_here(
    postgres: str, postgres_server: PostgresServer
) -> None:
    async with open_postgres(postgres), open_statement_runner(postgres) as statements:
        account = SharedSlots(statements, LEASE).slots("a", 1)
        async with account.hold():
            pass
        postgres_server.drop_database(postgres)
        assert await account.rate_limited(None, WAITS, 120) == 50
        assert account.pause > 40
        with pytest.raises(StoreError):
            async with SharedSlots(statements, LEASE).slots("b", 1).hold():
                raise AssertionError("there is no database")
