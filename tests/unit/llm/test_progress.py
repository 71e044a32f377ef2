"""How far a task is, by a clock that the test moves: held to what is really so."""

from __future__ import annotations

import gc
import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from gencode.codegen.plan_parser import parse_plan
from gencode.domain.task import Status
from gencode.llm.progress import SILENCE, CallProgress, ProgressRegistry, ProgressSnapshot, ProgressTracker
from gencode.pipelines.generate.artifacts import Plan, PlannedFile
from tests.unit.storage.samples import a_task

START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = 0.5
RATE = 100
"""Characters a second that the model of these tests says."""
LATENCY = 2.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def moment(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def started(clock: Clock) -> ProgressTracker:
    return ProgressTracker(clock, clock.moment)


def plan(**lines: int) -> Plan:
    return Plan(files=tuple(PlannedFile(path=path, lines=n) for path, n in lines.items()))


class Model:
    """Writes the files of a plan, so many at once and the longest first, at RATE and after LATENCY."""

    def __init__(self, sizes: dict[str, int], at_once: int) -> None:
        self.clock = Clock()
        self.work = started(self.clock)
        self._left = dict(sizes)
        self._sizes = sizes
        self._queue = sorted(sizes, key=lambda path: -sizes[path])
        self._at_once = at_once
        self._calls: dict[str, tuple[CallProgress, ExitStack]] = {}
        self._begin()

    @property
    def done(self) -> float:
        return 1 - sum(self._left.values()) / sum(self._sizes.values())

    @property
    def over(self) -> bool:
        return not any(self._left.values())

    def step(self) -> None:
        self.clock.seconds += TICK
        for path, (call, _) in list(self._calls.items()):
            if self.clock() - call.began > LATENCY:
                said = min(self._left[path], int(RATE * TICK))
                self._left[path] -= said
                call.hear(said)
            if not self._left[path]:
                self._end(path)
        self._begin()

    def _begin(self) -> None:
        while self._queue and len(self._calls) < self._at_once:
            path, stack = self._queue.pop(0), ExitStack()
            self._calls[path] = stack.enter_context(self.work.call(path)), stack

    def _end(self, path: str) -> None:
        call, stack = self._calls.pop(path)
        stack.close()
        self.work.keep(call)
        self.work.whole(path, self._sizes[path])


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("per_line", [10, 33])
def test_what_it_says_is_true_from_the_moment_that_it_says_something(at_once: int, per_line: int) -> None:
    """Whatever a line of this task comes to: the plan's lines are measured by its own files."""
    lines = {"a": 80, "b": 60, "c": 60, "d": 40, "e": 20, "f": 20}
    model = Model({path: n * per_line for path, n in lines.items()}, at_once)
    model.work.planned(plan(**lines), at_once)
    said: list[tuple[float, ProgressSnapshot, float]] = []
    while not model.over:
        model.step()
        said.append((model.clock(), model.work.view(), model.done))
    end = model.clock()
    percents = [view.percent for _, view, _ in said if view.percent is not None]
    assert percents == sorted(percents)
    assert len(percents) > len(said) / 3
    assert percents[-1] == 95
    for at, view, done in said:
        if view.percent is not None:
            assert abs(view.percent - 95 * done) <= 3
        if view.seconds_left is not None:
            assert abs(view.seconds_left - (end - at)) <= 2 + 0.05 * (end - at)
    assert any(view.seconds_left for _, view, _ in said)
    assert said[-1][1].seconds_left == 0


def test_nothing_is_said_before_enough_is_known() -> None:
    clock = Clock()
    work = started(clock)
    assert work.view() == ProgressSnapshot()
    with work.call("plan") as call:
        call.hear(500)
    clock.seconds += 1
    work.planned(plan(tiny=1, large=500), 2)
    work.whole("tiny", 10)
    assert work.view() == ProgressSnapshot(), "a line says nothing about five hundred"


def test_lengths_that_are_not_said_are_taken_for_middle_ones() -> None:
    clock = Clock()
    work = started(clock)
    work.planned(plan(a=0, b=0), 2)
    work.whole("a", 1000)
    assert work.view().percent == 47
    work = started(clock)
    work.planned(plan(a=100, b=0, c=100), 2)
    work.whole("a", 1000)
    assert work.view().percent == 31


def test_a_plan_may_say_any_number_of_lines() -> None:
    """One that no float can hold would end whoever looks."""
    files = [{"path": path, "lines": lines} for path, lines in (("a", 20), ("b", 10**400), ("c", 30))]
    said = parse_plan(json.dumps({"files": files}))
    work = ProgressTracker(Clock())
    work.planned(said, 8)
    work.whole("a", 400)
    work.whole("c", 600)
    assert work.view().percent == 0


def test_a_file_that_grows_past_its_plan_is_never_done_before_it_is() -> None:
    clock = Clock()
    work = started(clock)
    work.planned(plan(a=50, b=50), 2)
    work.whole("a", 1000)
    with work.call("b") as call:
        for _ in range(20):
            clock.seconds += 1
            call.hear(1000)
            percent = work.view().percent
            assert percent
            assert percent < 95
    work.keep(call)
    work.whole("b", 20_000)
    clock.seconds += 1
    assert work.view().percent == 95


def test_it_never_falls_when_more_turns_out_to_be_left() -> None:
    clock = Clock()
    work = started(clock)
    work.planned(plan(a=20, b=20, c=100), 1)
    work.whole("a", 100)
    before = work.view().percent
    clock.seconds += 1
    work.whole("b", 2000)  # lines of this task are long after all
    after = work.view().percent
    assert before
    assert after
    assert after >= before


def test_an_answer_that_is_not_used_is_not_written() -> None:
    clock = Clock()
    work = started(clock)
    work.planned(plan(a=50, b=50), 2)
    work.whole("a", 1000)
    with work.call("b") as call:
        call.hear(900)
        assert work.view().percent == 90
    clock.seconds += 1
    assert work.view().percent == 90, "it does not fall"
    with work.call("b") as call:
        call.hear(1000)
    work.keep(call)
    work.whole("b", 1000)
    clock.seconds += 1
    assert work.view().percent == 95


def test_silence_counts_as_stalled_until_a_token_comes() -> None:
    clock = Clock()
    work = started(clock)
    with work.call("plan") as call:
        clock.seconds += SILENCE - 1
        assert not work.view().stalled
        clock.seconds += 1
        assert work.view().stalled
        call.hear(0)  # a sign of life without text
        clock.seconds += 1
        assert not work.view().stalled
        clock.seconds += SILENCE
        assert work.view().stalled
    clock.seconds += 1
    assert not work.view().stalled


def test_it_says_until_when_a_provider_wants_to_be_left_alone() -> None:
    clock = Clock()
    work = started(clock)
    work.wait("a", 30)
    work.wait("b", 10)
    assert work.view().rate_limited_until == clock.moment() + timedelta(seconds=30)
    with work.call("a"):
        clock.seconds += 1
        assert work.view().rate_limited_until == clock.moment() + timedelta(seconds=9)
    clock.seconds += 9
    assert work.view().rate_limited_until is None


def test_a_wait_is_part_of_the_time_that_is_left() -> None:
    clock = Clock()
    work = started(clock)
    work.planned(plan(a=50, b=50), 2)
    with work.call("a") as call:
        for _ in range(10):
            clock.seconds += 1
            call.hear(100)
    work.keep(call)
    work.whole("a", 1000)
    work.wait("b", 60)
    assert work.view().seconds_left == 60 + 1 + 10  # the pause, the first token, 1,000 characters


def test_a_board_knows_what_runs_and_what_every_other_task_is() -> None:
    progress_registry = ProgressRegistry()
    task = a_task(status=Status.GENERATING)
    assert progress_registry.of(task) == ProgressSnapshot()
    work = progress_registry.begin(task.id)
    work.planned(plan(a=50, b=50), 2)
    work.whole("a", 1000)
    assert progress_registry.of(task).percent == 47
    expected = {
        Status.PENDING: ProgressSnapshot(),
        Status.MERGING: ProgressSnapshot(percent=95),
        Status.CREATING_REPO: ProgressSnapshot(percent=97),
        Status.PUSHING: ProgressSnapshot(percent=98),
        Status.COMPLETED: ProgressSnapshot(percent=100, seconds_left=0),
        Status.FAILED: ProgressSnapshot(),
        Status.CANCELLED: ProgressSnapshot(),
    }
    assert {
        status: progress_registry.of(a_task(id=task.id, status=status)) for status in expected
    } == expected
    assert (
        progress_registry.of(a_task(id=task.id, status=Status.GENERATING, paused_until=START))
        == ProgressSnapshot()
    )
    del work
    gc.collect()
    assert progress_registry.of(task) == ProgressSnapshot(), "a stage that is done leaves nothing behind"
