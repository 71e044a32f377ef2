from __future__ import annotations

import asyncio
import re

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from gencode.domain.errors import StoreError
from gencode.domain.task import Status, Task
from gencode.engine.executor import TaskExecutor
from gencode.engine.pipeline import Emit, StageUpdate
from gencode.engine.task_log import TaskLog
from gencode.llm.errors import LLMAuth, LLMTimeout
from gencode.observability.metrics import Metrics
from tests.unit.engine.rig import STATUSES, Act, FaultyStore, Letters, Rig, failing, new_task


class Bench:
    """One task and a runner."""

    def __init__(self, timeout: float = 60, max_attempts: int = 5, **acts: Act) -> None:
        self.rig = Rig(Letters(**acts), timeout=timeout, max_attempts=max_attempts)
        self.pipeline = self.rig.pipeline

    async def task_log(self, **fields: object) -> TaskLog:
        task = await TaskLog(new_task(**fields), self.rig.store, self.rig.hub).create(None)
        return TaskLog(task, self.rig.store, self.rig.hub)

    async def run(self, **fields: object) -> Task:
        task_log = await self.task_log(**fields)
        await self.rig.runner.run(task_log)
        assert await self.rig.task(task_log.task) == task_log.task
        return task_log.task


def raising(error: BaseException) -> Act:
    async def act(send: Emit) -> None:
        raise error

    return act


async def test_stages_run_in_order_and_each_status_is_told() -> None:
    bench = Bench()
    task = await bench.run()
    assert (task.status, task.result, task.message) == (Status.COMPLETED, {"word": "wxyz"}, "now completed")
    assert await bench.rig.statuses(task) == ["pending", *STATUSES, "completed"]
    kinds = [event.kind for event in await bench.rig.log(task)]
    assert kinds == ["status", *["status", "letter"] * 4, "status"]
    assert bench.rig.hub.over == [task.id]


@pytest.mark.parametrize("reached", range(5))
async def test_it_resumes_at_every_status_and_repeats_no_stage(reached: int) -> None:
    bench = Bench()
    task_log = await bench.task_log()
    for status, letter in list(zip(STATUSES, "wxyz", strict=True))[:reached]:
        await task_log.advance(status, "earlier")
        await task_log.send(StageUpdate(keep={letter: letter}))
    await bench.rig.runner.run(task_log)
    assert task_log.task.status is Status.COMPLETED
    assert "".join(bench.pipeline.begun) == "wxyz"[reached:]
    assert await bench.rig.statuses(task_log.task) == ["pending", *STATUSES, "completed"]
    resumed = [event.data for event in await bench.rig.log(task_log.task) if event.kind == "resumed"]
    assert resumed == ([{"status": STATUSES[reached - 1], "attempt": 2}] if reached else [])


@pytest.mark.parametrize("letter", "wxyz")
@pytest.mark.parametrize(
    ("error", "retryable"), [(LLMAuth("check the key"), False), (LLMTimeout("too slow"), True)]
)
async def test_a_known_failure_ends_the_task_with_its_code(
    letter: str, error: LLMAuth | LLMTimeout, retryable: bool
) -> None:
    bench = Bench(**{letter: raising(error)})
    task = await bench.run()
    assert task.status is Status.FAILED
    assert task.failure is not None
    assert (task.failure.code, task.failure.message, task.failure.retryable) == (
        error.code,
        error.message,
        retryable,
    )
    assert task.message == error.message
    assert "".join(bench.pipeline.done) == "wxyz"["wxyz".index("w") : "wxyz".index(letter)]


@pytest.mark.parametrize("error", [ZeroDivisionError("secret 4711"), KeyError("secret 4711")])
async def test_a_bug_tells_the_client_a_reference_and_the_log_the_trace(error: Exception) -> None:
    bench = Bench(x=raising(error))
    with capture_logs() as logs:
        task = await bench.run()
    assert task.failure is not None
    assert task.failure.code == "INTERNAL"
    assert "4711" not in repr(await bench.rig.log(task))
    reference = re.search(r"reference ([0-9a-f]{8})$", task.failure.message)
    assert reference is not None
    (entry,) = [entry for entry in logs if entry.get("reference") == reference[1]]
    assert entry["exc_info"] is error


async def test_a_bug_of_the_pipeline_itself_ends_the_task_too() -> None:
    bench = Bench()
    bench.pipeline.restore = raising(ValueError())  # type: ignore[method-assign, assignment]
    bench.pipeline.message = lambda task, status: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    task = await bench.run()
    assert task.failure is not None
    assert task.failure.code == "INTERNAL"


async def test_a_kind_that_nobody_knows_ends_the_task() -> None:
    task = await Bench().run(kind="unknown")
    assert task.failure is not None
    assert task.failure.code == "INTERNAL"


async def children(*errors: Exception) -> None:
    async with anyio.create_task_group() as tg:
        for error in errors:
            tg.start_soon(raising(error), None)


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([LLMAuth("key")], "LLM_AUTH"),
        ([ValueError(), LLMAuth("key")], "LLM_AUTH"),
        ([ExceptionGroup("inner", [LLMAuth("key")]), KeyError()], "LLM_AUTH"),
        ([ValueError()], "INTERNAL"),
    ],
)
async def test_a_group_of_errors_keeps_the_code_of_the_known_one(errors: list[Exception], code: str) -> None:
    async def act(send: Emit) -> None:
        await children(*errors)

    task = await Bench(y=act).run()
    assert task.failure is not None
    assert task.failure.code == code


@pytest.mark.parametrize(
    "errors",
    [[StoreError("full")], [ValueError(), ExceptionGroup("inner", [LLMAuth("k"), StoreError("full")])]],
)
async def test_a_store_that_refuses_leaves_the_task_unfinished(errors: list[Exception]) -> None:
    async def act(send: Emit) -> None:
        if len(errors) == 1:
            raise errors[0]
        await children(*errors)

    bench = Bench(y=act)
    task_log = await bench.task_log()
    with pytest.raises(StoreError, match="full"):
        await bench.rig.runner.run(task_log)
    assert task_log.task.status is Status.CREATING_REPO
    assert await bench.rig.task(task_log.task) == task_log.task


@pytest.mark.parametrize("write", range(2, 12))
async def test_whichever_write_is_refused_the_next_run_completes_without_repeating_what_was_kept(
    write: int,
) -> None:
    """The creation; start; for each stage its status and its letter; the end."""
    bench = Bench()
    task_log = await bench.task_log()
    bench.rig.store.refuse(write)
    with pytest.raises(StoreError):
        await bench.rig.runner.run(task_log)
    await bench.rig.runner.run(task_log)
    assert task_log.task.status is Status.COMPLETED
    lost = {4: "w", 6: "x", 8: "y", 10: "z"}.get(write)
    assert bench.pipeline.done == {letter: 1 + (letter == lost) for letter in "wxyz"}
    assert await bench.rig.statuses(task_log.task) == ["pending", *STATUSES, "completed"]


@pytest.mark.parametrize("letter", "wz")
async def test_a_task_that_takes_too_long_is_stopped(letter: str) -> None:
    stopped = anyio.Event()

    async def sleep(send: Emit) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    task = await Bench(timeout=0.3, **{letter: sleep}).run()
    assert stopped.is_set()
    assert task.failure is not None
    assert (task.failure.code, task.failure.retryable) == ("TASK_TIMEOUT", True)


async def test_what_a_stage_dies_of_at_the_deadline_is_not_the_reason() -> None:
    async def untidy(send: Emit) -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(anyio.sleep_forever)
            try:
                await anyio.sleep_forever()
            finally:
                raise OSError("the connection was closed under me")

    task = await Bench(timeout=0.3, x=untidy).run()
    assert task.failure is not None
    assert task.failure.code == "TASK_TIMEOUT"


@pytest.mark.parametrize(("write", "status"), [(10, Status.FAILED), (11, Status.COMPLETED)])
async def test_a_deadline_in_the_middle_of_a_write_waits_for_it(write: int, status: Status) -> None:
    """The last letter is kept and told although time is up; an end that was being written is the end."""
    bench = Bench(timeout=0.5)
    task_log = await bench.task_log()

    async def slow(number: int) -> None:
        if number == write:
            await anyio.sleep(0.7)

    bench.rig.store.before = slow
    await bench.rig.runner.run(task_log)
    assert task_log.task.status is status
    assert task_log.task.result["word"] == "wxyz"
    await bench.rig.log(task_log.task)


async def test_one_task_s_time_begins_anew_with_each_run() -> None:
    bench = Bench(timeout=0.5, w=failing(StoreError("full")))
    task_log = await bench.task_log()
    with pytest.raises(StoreError):
        await bench.rig.runner.run(task_log)
    await anyio.sleep(0.6)
    await bench.rig.runner.run(task_log)
    assert task_log.task.status is Status.COMPLETED


@pytest.mark.parametrize("attempts", [0, 1, 2])
async def test_starts_without_progress_are_bounded(attempts: int) -> None:
    task = await Bench(max_attempts=2).run(attempts=attempts)
    assert task.status is (Status.FAILED if attempts == 2 else Status.COMPLETED)
    assert (task.failure is not None and task.failure.code) == (attempts == 2 and "CRASH_LOOP")


async def test_a_task_that_is_over_is_left_alone() -> None:
    bench = Bench()
    task_log = await bench.task_log()
    await task_log.advance(Status.CANCELLED, "over")
    before = await bench.rig.log(task_log.task)
    await bench.rig.runner.run(task_log)
    await bench.rig.runner.cancel(task_log)
    assert await bench.rig.log(task_log.task) == before


async def test_an_end_that_happened_in_spite_of_the_store_is_found_and_told() -> None:
    bench = Bench()
    task_log = await bench.task_log()
    bench.rig.store.refuse(11)
    bench.rig.store.lying = True
    with pytest.raises(StoreError):
        await bench.rig.runner.run(task_log)
    await bench.rig.runner.run(task_log)
    assert bench.rig.hub.over == [task_log.task.id]
    assert (await bench.rig.statuses(task_log.task))[-1] == "completed"


async def test_cancelled_from_outside_it_says_nothing_more() -> None:
    bench = Bench(x=raising(AssertionError("not reached")), w=lambda send: anyio.sleep_forever())
    task_log = await bench.task_log()
    async with anyio.create_task_group() as tg:
        tg.start_soon(bench.rig.runner.run, task_log)
        await anyio.wait_all_tasks_blocked()
        tg.cancel_scope.cancel()
    assert task_log.task.status is Status.GENERATING
    await bench.rig.log(task_log.task)


async def test_a_cancelled_future_that_a_stage_awaits_is_a_bug_of_the_stage() -> None:
    async def await_a_dead_future(send: Emit) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    task = await Bench(y=await_a_dead_future).run()
    assert task.failure is not None
    assert task.failure.code == "INTERNAL"


async def test_stages_are_named_in_the_log_and_timed() -> None:
    seen: list[str] = []

    async def look(send: Emit) -> None:
        seen.append(structlog.contextvars.get_contextvars()["stage"])

    bench = Bench(w=look, z=look)
    await bench.run()
    assert seen == ["generating", "pushing"]
    for status in STATUSES:
        assert f'gencode_stage_seconds_count{{stage="{status}"}} 1.0' in bench.rig.metrics.text().decode()


async def test_one_runner_serves_several_kinds() -> None:
    class Others(Letters):
        kind = "others"

    store = FaultyStore()
    letters, others = Letters(), Others()
    runner = TaskExecutor(store, [letters, others], Metrics(), timeout=60)
    rig = Rig(letters, store)
    for kind in ("letters", "others", "letters"):
        task = await TaskLog(new_task(kind=kind), store, rig.hub).create(None)
        await runner.run(TaskLog(task, store, rig.hub))
    assert (letters.done["w"], others.done["w"]) == (2, 1)
