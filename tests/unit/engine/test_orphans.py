"""Wherever a caller, the store or the process fails: each stored task is in one place, and goes on.

The places are the queue, a worker, the paused tasks, and over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from gencode.domain.errors import GencodeError, OutcomeUnknown, StoreError
from gencode.domain.task import Task
from gencode.engine import orphan_sweeper, shielded_operations
from gencode.engine.ports.pipeline import StageUpdate
from gencode.engine.ports.store import TaskQuery
from gencode.engine.service import TaskService
from tests.unit.engine.rig import FaultyStore, NoAccess, Rig, Spelling, failing, new_task, pausing

PROMPT = {"prompt": "a word"}
ALL = TaskQuery(limit=1000)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphan_sweeper, "FIRST_PAUSE", 0.001)


def decision(_checkpoints: Any) -> StageUpdate:
    return StageUpdate(checkpoints={"approved": "{}"})


class SlowStore(FaultyStore):
    """Each call takes some turns of the loop, and a write goes on when its caller is cancelled.

    fail_at   the number of the call that fails (reads count, too), and `error` is how
    """

    TURNS = 2

    def __init__(self) -> None:
        super().__init__()
        self.detached = True
        self.calls = 0
        self.fail_at = 0
        self.error: Exception = StoreError("away")

    async def find(self, query: TaskQuery) -> Any:
        await self._call()
        return await super().find(query)

    async def checkpoints(self, task_id: str) -> Any:
        await self._call()
        return await super().checkpoints(task_id)

    async def _checked(self, write: Any) -> Any:
        stored = isinstance(self.error, OutcomeUnknown)
        try:
            await self._call()
        except Exception:
            if stored:
                await write()
            raise
        return await super()._checked(write)

    async def _call(self) -> None:
        self.calls += 1
        for _ in range(self.TURNS):
            await anyio.sleep(0)
        if self.calls == self.fail_at:
            raise self.error


def a_rig() -> Rig:
    """A task of it pauses once, and fails once after its approval."""
    pipeline = Spelling(x=pausing(), y=failing(NoAccess("no")))
    rig = Rig(pipeline, SlowStore(), concurrency=1)
    rig.retry_store.set()
    return rig


async def places(rig: Rig) -> dict[str, list[str]]:
    """The places of each stored task, by its id."""
    found = {}
    for task in await rig.store.inner.find(ALL):
        claims = {
            "queue": task.id in rig.queue,
            "worker": rig.service._pool.active(task.id) is not None,
            "paused": task.paused_until is not None and task.id in rig.paused_tasks,
            "over": task.state.is_terminal,
        }
        found[task.id] = [place for place, is_there in claims.items() if is_there]
    return found


async def settled(rig: Rig) -> None:
    """When nobody works any more, and sweeps have been made."""
    await anyio.sleep(0.01)
    for _ in range(2):
        await rig.idle()
        await swept(rig)
    await rig.idle()


async def swept(rig: Rig) -> None:
    """A sweep that meets the failure is repeated, as Sweeper.run does."""
    try:
        await rig.service._recovery.sweep()
    except (StoreError, ZeroDivisionError, asyncio.CancelledError):
        await rig.service._recovery.sweep()


async def check(rig: Rig) -> None:
    await settled(rig)
    for task_id, where in (await places(rig)).items():
        assert len(where) == 1, f"{task_id} is in {where}"


Operation = Callable[[TaskService, Task], Awaitable[Any]]
OPERATIONS: dict[str, Operation] = {
    "submit": lambda service, task: service.submit(new_task(), PROMPT),
    "approve": lambda service, task: service.approve(task, decision),
    "amend": lambda service, task: service.amend(task, lambda _: StageUpdate(checkpoints={"n": "1"})),
    "cancel": lambda service, task: service.cancel(task),
    "retry": lambda service, task: service.retry(task),
}


async def prepared(rig: Rig, operation: str) -> Task:
    """A task in the state that the operation is for."""
    task = await rig.paused(await rig.submit())
    if operation != "retry":
        return task
    await rig.service.approve(task, decision)
    return await rig.finished(task)


# --- callers that leave -----------------------------------------------------------------------------


@pytest.mark.fault(117)
@pytest.mark.parametrize("natively", [True, False], ids=["task", "scope"])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_caller_that_leaves_at_any_step_loses_no_task(name: str, natively: bool) -> None:
    """asyncio.timeout of a host's middleware uses `Task.cancel`, which passes anyio's shield."""
    step, has_ended = 0, False
    while not has_ended:
        rig = a_rig()
        with capture_logs():
            async with rig.running() as service:
                task = await prepared(rig, name)
                has_ended = await leave(partial(OPERATIONS[name], service, task), step, natively)
                await check(rig)
                await rig.submit()  # the service is as alive as before
                await check(rig)
        step += 1
    assert step > 3, "it was left at several steps"


async def leave(operation: Callable[[], Awaitable[Any]], step: int, natively: bool) -> bool:
    """Cancel the caller after so many turns of the loop; returns whether it had ended by then."""
    scope = anyio.CancelScope()

    async def call() -> None:
        with scope:
            await operation()

    caller = asyncio.create_task(call())
    for _ in range(step):
        await anyio.sleep(0)
    has_ended = caller.done()
    if natively:
        caller.cancel()
    scope.cancel()
    await asyncio.wait([caller])
    return has_ended


# --- the store fails --------------------------------------------------------------------------------


async def life(rig: Rig) -> None:
    """Everything that can become of a task, whatever fails on the way."""
    service = rig.service
    for name in ("submit", "amend", "approve", "retry", "cancel"):
        tasks = await rig.store.inner.find(ALL)
        task = tasks[0] if tasks else new_task()
        with suppress(GencodeError, ZeroDivisionError):
            await OPERATIONS[name](service, task)
        await rig.idle()


@pytest.mark.fault(117)
@pytest.mark.parametrize(
    "error",
    [StoreError("refused"), OutcomeUnknown("stored"), ZeroDivisionError(), asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)
async def test_a_call_of_the_store_that_fails_loses_no_task(error: Any) -> None:
    """Each read and write of a whole life in turn. CancelledError: of a future that somebody cancelled."""
    number, calls = 1, 1
    while number <= calls:
        rig = a_rig()
        assert isinstance(rig.store, SlowStore)
        with capture_logs():
            async with rig.running():
                rig.store.calls, rig.store.fail_at, rig.store.error = 0, number, error
                with suppress(asyncio.CancelledError):  # an operation itself made the call
                    await life(rig)
                await check(rig)
                assert rig.service.accepting, "it ended one of the service's own loops"
        calls = min(rig.store.calls, 60)
        number += 1
    assert number > 20


# --- the process stops ------------------------------------------------------------------------------


@pytest.mark.fault(117)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_stop_at_any_step_of_an_operation_leaves_the_task_to_the_next_process(name: str) -> None:
    step, has_ended = 0, False
    while not has_ended:
        rig = a_rig()
        with capture_logs():
            async with rig.running() as service:
                task = await prepared(rig, name)
                caller = asyncio.ensure_future(OPERATIONS[name](service, task))
                for _ in range(step):
                    await anyio.sleep(0)
                has_ended = caller.done()
                service.stop_accepting()
            await asyncio.wait([caller], timeout=10)
            assert caller.done(), "an operation outlives the service"
            caller.exception() if not caller.cancelled() else None
            following = Rig(rig.pipeline, rig.store, concurrency=1)
            async with following.running():
                await check(following)
        step += 1


async def test_an_operation_whose_caller_has_left_ends_before_the_service_does() -> None:
    """The store closes after the service: a write after that would be lost."""
    rig = a_rig()
    async with rig.running() as service:
        task = await rig.paused(await rig.submit())
        rig.store.gate, rig.store.asked = anyio.Event(), anyio.Event()
        caller = asyncio.ensure_future(service.approve(task, decision))
        await rig.store.asked.wait()
        caller.cancel()
        asyncio.get_running_loop().call_later(0.05, rig.store.gate.set)
    assert not service._operations._running
    assert (await rig.task(task)).paused_until is None, "it was approved"


async def test_an_operation_that_waits_for_the_store_does_not_hold_up_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shielded_operations, "GRACE", 0.01)
    rig = a_rig()
    rig.retry_store = anyio.Event()
    async with rig.running() as service:
        task = await rig.paused(await rig.submit())
        rig.store.down = True
        caller = asyncio.ensure_future(service.approve(task, decision))
        await asyncio.wait([caller])
        rig.store.down = False
        rig.store.store_and_go_down()
        caller = asyncio.ensure_future(service.approve(task, decision))
        await rig.store_refused.wait()
    await asyncio.wait([caller])
    assert not service._operations._running
