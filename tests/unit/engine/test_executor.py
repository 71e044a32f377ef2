from __future__ import annotations

import asyncio
import re
from typing import Any

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from gencode.codegen.errors import ValidationFailed
from gencode.domain.errors import (
    Conflict,
    LikelySecretFound,
    SecretFound,
    StoreError,
    TreeTooLarge,
    UnsafePath,
)
from gencode.domain.task import Failure, State, Task, now
from gencode.engine.executor import TaskExecutor
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.engine.task_log import TaskLog
from gencode.githosts.errors import HostAuth, RepoExists
from gencode.llm.errors import BudgetExceeded, LLMAuth, LLMBadOutput, LLMTruncated, LLMUnavailable
from gencode.observability.metrics import Metrics
from tests.servers.loop_clock import LoopClock
from tests.unit.engine.rig import (
    FOUR,
    SEVEN,
    STAGES,
    TWO,
    Act,
    Busy,
    FaultyStore,
    NoAccess,
    Rig,
    Spelling,
    new_task,
    pausing,
)


class Bench:
    """One task and an executor."""

    def __init__(
        self, pipeline: Spelling | None = None, timeout: float = 60, max_attempts: int = 5, **acts: Act
    ) -> None:
        self.rig = Rig(pipeline or Spelling(**acts), timeout=timeout, max_attempts=max_attempts)
        self.pipeline = self.rig.pipeline
        self.executor = self.rig.executor

    async def task_log(self, **fields: Any) -> TaskLog:
        log = TaskLog(new_task(**fields), self.rig.store, self.rig.hub)
        task = await log.create({"prompt": "a word", "model": "first"}, None)
        return TaskLog(task, self.rig.store, self.rig.hub)

    async def run(self, **fields: Any) -> Task:
        task_log = await self.task_log(**fields)
        await self.executor.run(task_log)
        assert await self.rig.task(task_log.task) == task_log.task
        return task_log.task


def raising(error: BaseException) -> Act:
    async def act(emit: Emit) -> None:
        raise error

    return act


def failure_of(task: Task) -> Failure:
    assert task.failure is not None
    return task.failure


# --- stages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stages", [TWO, FOUR, SEVEN, {"only": "o"}, {}], ids=len)
async def test_stages_run_in_order_and_each_is_a_public_status(stages: dict[str, str]) -> None:
    bench = Bench(Spelling(stages))
    task = await bench.run()
    word = "".join(stages.values())
    assert (task.state, task.status, task.message) == (State.SUCCEEDED, "completed", "now completed")
    assert (task.result.get("word", ""), task.stage) == (word, list(stages)[-1] if stages else "")
    assert await bench.rig.statuses(task) == ["pending", *stages, "completed"]
    kinds = [event.kind for event in await bench.rig.log(task)]
    assert kinds == ["status", *["status", "letter"] * len(stages), "status"]
    assert bench.rig.hub.final == [task.id]


@pytest.mark.parametrize("skipped", ["w", "x", "z", "wx", "xyz", "wxyz"])
async def test_a_stage_that_does_not_apply_is_skipped_without_an_event(skipped: str) -> None:
    bench = Bench(Spelling(skipped=skipped))
    task = await bench.run()
    entered = [name for name, letter in FOUR.items() if letter not in skipped]
    assert await bench.rig.statuses(task) == ["pending", *entered, "completed"]
    assert task.result.get("word", "") == "".join(letter for letter in "wxyz" if letter not in skipped)
    assert not set(skipped) & set(bench.pipeline.started)


async def test_whether_a_stage_applies_is_asked_of_the_artifact_before_it() -> None:
    async def skip_the_rest(emit: Emit) -> None:
        bench.pipeline.skipped = "yz"

    bench = Bench(x=skip_the_rest)
    task = await bench.run()
    assert await bench.rig.statuses(task) == ["pending", "draft", "check", "completed"]


@pytest.mark.parametrize("reached", range(5))
async def test_it_resumes_in_every_stage_and_repeats_none(reached: int) -> None:
    bench = Bench()
    task_log = await bench.task_log()
    if reached:
        await task_log.start()
    for stage, letter in list(FOUR.items())[:reached]:
        await task_log.enter(stage, "earlier")
        await task_log.emit(StageUpdate(checkpoints={letter: letter}))
    await bench.executor.run(task_log)
    assert task_log.task.state is State.SUCCEEDED
    assert "".join(bench.pipeline.started) == "wxyz"[reached:]
    assert await bench.rig.statuses(task_log.task) == ["pending", *STAGES, "completed"]
    resumed = [event.data for event in await bench.rig.log(task_log.task) if event.kind == "resumed"]
    assert resumed == ([{"status": STAGES[reached - 1], "attempt": 2}] if reached else [])


async def test_a_run_is_restored_from_the_accepted_request_with_the_present_parameters() -> None:
    bench = Bench()
    await bench.run(parameters={"model": "second", "size": 3})
    assert bench.pipeline.requests == [{"prompt": "a word", "model": "second", "size": 3}]


async def test_a_pause_ends_the_run_in_its_stage() -> None:
    bench = Bench(x=pausing())
    task_log = await bench.task_log()
    await bench.executor.run(task_log)
    task = task_log.task
    assert (task.state, task.stage, task.status, task.message) == (State.PAUSED, "check", "check", "may I?")
    before = await bench.rig.log(task)
    await bench.executor.run(task_log)
    assert await bench.rig.log(task) == before


# --- failures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", "wxyz")
@pytest.mark.parametrize(("error", "retryable"), [(NoAccess("check the key"), False), (Busy("slow"), True)])
async def test_a_known_failure_ends_the_task_with_its_code(
    letter: str, error: NoAccess | Busy, retryable: bool
) -> None:
    bench = Bench(**{letter: raising(error)})
    task = await bench.run()
    reached = "wxyz".index(letter)
    assert (task.state, task.message) == (State.FAILED, error.message)
    assert failure_of(task) == Failure(
        code=error.code,
        message=error.message,
        retryable=retryable,
        stage=STAGES[reached],
        retry_helps="later" if retryable else "after_change",
        retry_fields=error.retry_fields,
    )
    assert "".join(bench.pipeline.finished) == "wxyz"[:reached]


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (BudgetExceeded("x"), "warning"),
        (UnsafePath("x"), "warning"),
        (TreeTooLarge("x"), "warning"),
        (LikelySecretFound("x"), "warning"),
        (ValidationFailed("x"), "warning"),
        (LLMBadOutput("x"), "warning"),
        (LLMTruncated("x"), "warning"),
        (RepoExists("x"), "warning"),
        (SecretFound("a secret of the service"), "error"),
        (LLMAuth("x"), "error"),
        (HostAuth("x"), "error"),
        (LLMUnavailable("x"), "error"),
        (ValueError("x"), "error"),
    ],
)
async def test_a_failure_is_logged_as_an_error_only_if_the_operator_can_mend_it(
    error: Exception, level: str
) -> None:
    with capture_logs() as logs:
        await Bench(x=raising(error)).run()
    assert [entry["log_level"] for entry in logs if entry["event"] == "task failed"] == [level]


@pytest.mark.parametrize("error", [ZeroDivisionError("secret 4711"), KeyError("secret 4711")])
async def test_a_bug_gives_the_client_a_reference_and_the_log_the_traceback(error: Exception) -> None:
    bench = Bench(x=raising(error))
    with capture_logs() as logs:
        task = await bench.run()
    assert failure_of(task).code == "INTERNAL"
    assert "4711" not in repr(await bench.rig.log(task))
    reference = re.search(r"reference ([0-9a-f]{8})$", failure_of(task).message)
    assert reference is not None
    (entry,) = [entry for entry in logs if entry.get("reference") == reference[1]]
    assert entry["exc_info"] is error


async def test_a_bug_of_the_pipeline_itself_ends_the_task_too() -> None:
    bench = Bench()
    bench.pipeline.restore = raising(ValueError())  # type: ignore[method-assign, assignment]
    bench.pipeline.message = lambda task, status: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    task = await bench.run()
    assert (failure_of(task).code, failure_of(task).stage) == ("INTERNAL", "")


async def children(*errors: Exception) -> None:
    async with anyio.create_task_group() as group:
        for error in errors:
            group.start_soon(raising(error), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("errors", "code", "logged"),
    [
        ([NoAccess("key")], "NO_ACCESS", []),
        ([ExceptionGroup("inner", [NoAccess("key")])], "NO_ACCESS", []),
        ([ValueError(), NoAccess("key")], "NO_ACCESS", ["several errors at once"]),
        ([ExceptionGroup("inner", [NoAccess("key")]), KeyError()], "NO_ACCESS", ["several errors at once"]),
        ([ValueError()], "INTERNAL", ["unexpected error"]),
    ],
)
async def test_a_group_of_errors_fails_with_the_code_of_the_known_one(
    errors: list[Exception], code: str, logged: list[str]
) -> None:
    """A traceback is logged of what nobody expected, not of what a user did."""

    async def act(emit: Emit) -> None:
        await children(*errors)

    with capture_logs() as logs:
        assert failure_of(await Bench(y=act).run()).code == code
    assert [entry["event"] for entry in logs if entry.get("exc_info")] == logged


@pytest.mark.parametrize("error", [StoreError("full"), Conflict("full")])
@pytest.mark.parametrize("in_a_group", [False, True])
async def test_a_store_that_refuses_leaves_the_task_unfinished(error: Exception, in_a_group: bool) -> None:
    async def act(emit: Emit) -> None:
        if not in_a_group:
            raise error
        await children(ValueError(), ExceptionGroup("inner", [NoAccess("k"), error]))

    bench = Bench(y=act)
    task_log = await bench.task_log()
    with pytest.raises(type(error), match="full"):
        await bench.executor.run(task_log)
    assert (task_log.task.state, task_log.task.stage) == (State.RUNNING, "pack")
    assert await bench.rig.task(task_log.task) == task_log.task


@pytest.mark.parametrize("outcome", ["refused", "stored", "lost"])
@pytest.mark.parametrize("write", range(2, 12))
async def test_whichever_write_fails_the_next_run_completes_and_repeats_no_checkpoint(
    write: int, outcome: str
) -> None:
    """The creation; start; for each stage its entry and its letter; the end."""
    bench = Bench()
    task_log = await bench.task_log()
    bench.rig.store.refuse(write)
    bench.rig.store.outcome = outcome  # type: ignore[assignment]
    with pytest.raises(StoreError):
        await bench.executor.run(task_log)
    await bench.executor.run(task_log)
    assert task_log.task.state is State.SUCCEEDED
    lost = {4: "w", 6: "x", 8: "y", 10: "z"}.get(write) if outcome != "stored" else None
    assert bench.pipeline.finished == {letter: 1 + (letter == lost) for letter in "wxyz"}
    assert await bench.rig.statuses(task_log.task) == ["pending", *STAGES, "completed"]
    assert bench.rig.hub.final == [task_log.task.id]


# --- the deadline -----------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", "wz")
async def test_a_task_that_takes_too_long_is_stopped(letter: str) -> None:
    stopped = anyio.Event()

    async def sleep(emit: Emit) -> None:
        try:
            await clock.advance(3600)
            await anyio.sleep_forever()
        finally:
            stopped.set()

    clock = LoopClock()
    failure = failure_of(await Bench(timeout=3600, **{letter: sleep}).run())
    assert stopped.is_set()
    assert (failure.code, failure.retryable) == ("TASK_TIMEOUT", True)


async def test_an_error_that_the_deadline_caused_is_not_the_reason() -> None:
    async def untidy(emit: Emit) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            try:
                await clock.advance(3600)
                await anyio.sleep_forever()
            finally:
                raise OSError("the connection was closed under me")

    clock = LoopClock()
    assert failure_of(await Bench(timeout=3600, x=untidy).run()).code == "TASK_TIMEOUT"


@pytest.mark.parametrize(("write", "state"), [(10, State.FAILED), (11, State.SUCCEEDED)])
async def test_a_deadline_in_the_middle_of_a_write_waits_for_it(write: int, state: State) -> None:
    """The last letter is stored and published although time is up; an end that is being written holds."""
    bench, clock = Bench(timeout=3600), LoopClock()
    task_log = await bench.task_log()

    async def slow(number: int) -> None:
        if number == write:
            await clock.advance(3600)

    bench.rig.store.before = slow
    await bench.executor.run(task_log)
    assert task_log.task.state is state
    assert task_log.task.result["word"] == "wxyz"
    await bench.rig.log(task_log.task)


async def test_each_run_of_a_task_has_its_own_time() -> None:
    deadlines = []

    async def note(emit: Emit) -> None:
        deadlines.append(anyio.current_effective_deadline())
        raise StoreError("full")

    bench = Bench(timeout=30, w=note)
    task_log = await bench.task_log()
    for _ in range(2):
        with pytest.raises(StoreError):
            await bench.executor.run(task_log)
    assert deadlines[1] > deadlines[0]


# --- attempts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
@pytest.mark.parametrize("attempts", [0, 1, 2])
async def test_starts_without_progress_are_bounded(attempts: int, state: State) -> None:
    task = await Bench(max_attempts=2).run(attempts=attempts, state=state)
    assert task.state is (State.FAILED if attempts == 2 else State.SUCCEEDED)
    assert (task.failure is not None and task.failure.code) == (attempts == 2 and "CRASH_LOOP")


async def test_a_task_that_is_over_is_left_alone() -> None:
    bench = Bench()
    task_log = await bench.task_log()
    await task_log.cancel("over")
    before = await bench.rig.log(task_log.task)
    await bench.executor.run(task_log)
    await bench.executor.cancel(task_log)
    await bench.executor.expire(task_log, now())
    assert await bench.rig.log(task_log.task) == before


# --- cancellation -----------------------------------------------------------------------------------


async def test_cancelled_from_outside_it_writes_nothing_more() -> None:
    bench = Bench(x=raising(AssertionError("not reached")), w=lambda emit: anyio.sleep_forever())
    task_log = await bench.task_log()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.executor.run, task_log)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert (task_log.task.state, task_log.task.stage) == (State.RUNNING, "draft")
    await bench.rig.log(task_log.task)


async def test_an_error_that_the_cancellation_caused_does_not_fail_the_task() -> None:
    """Tasks of a group end first; the stage misses their results before it is cancelled itself."""

    async def untidy(emit: Emit) -> None:
        group.cancel_scope.cancel()
        raise KeyError("app.py")

    bench = Bench(x=untidy)
    task_log = await bench.task_log()
    with capture_logs() as logs:
        async with anyio.create_task_group() as group:
            group.start_soon(bench.executor.run, task_log)
    assert task_log.task.state is State.RUNNING
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


async def test_a_cancelled_future_that_a_stage_awaits_is_a_bug_of_the_stage() -> None:
    async def await_a_dead_future(emit: Emit) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    assert failure_of(await Bench(y=await_a_dead_future).run()).code == "INTERNAL"


# --- telemetry, kinds -------------------------------------------------------------------------------


async def test_stages_are_named_in_the_log_and_timed() -> None:
    seen: list[str] = []

    async def look(emit: Emit) -> None:
        seen.append(structlog.contextvars.get_contextvars()["stage"])

    bench = Bench(w=look, z=look)
    await bench.run()
    assert seen == ["draft", "ship"]
    for stage in STAGES:
        assert f'gencode_stage_seconds_count{{stage="{stage}"}} 1.0' in bench.rig.metrics.render().decode()


async def test_one_executor_serves_several_kinds() -> None:
    store, letters, others = FaultyStore(), Spelling(), Spelling(TWO)
    executor = TaskExecutor(store, {"letters": letters, "others": others}, Metrics(), timeout=60)
    rig = Rig(letters, store)
    for kind in ("letters", "others", "letters"):
        task = await TaskLog(new_task(kind=kind), store, rig.hub).create({}, None)
        await executor.run(TaskLog(task, store, rig.hub))
    assert (letters.finished["w"], others.finished["r"]) == (2, 1)
