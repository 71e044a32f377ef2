"""Progress and remaining time, measured against a simulated model whose real progress is known."""

from __future__ import annotations

import gc
import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from gencode.codegen.plan_parser import parse_plan
from gencode.llm.progress_tracker import (
    STALLED_AFTER,
    CallProgress,
    ProgressRegistry,
    ProgressSnapshot,
    ProgressTracker,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = 0.5
RATE = 100
"""Characters per second of the simulated model."""
LATENCY = 2.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def moment(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def new_tracker(clock: Clock) -> ProgressTracker:
    return ProgressTracker(clock, clock.moment)


class Model:
    """Writes the files of a plan, `at_once` in parallel and the longest first, at RATE and after LATENCY."""

    def __init__(self, sizes: dict[str, int], at_once: int) -> None:
        self.clock = Clock()
        self.tracker = new_tracker(self.clock)
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
            if self.clock() - call.started > LATENCY:
                written = min(self._left[path], int(RATE * TICK))
                self._left[path] -= written
                call.add_chunk(written)
            if not self._left[path]:
                self._end(path)
        self._begin()

    def _begin(self) -> None:
        while self._queue and len(self._calls) < self._at_once:
            path, stack = self._queue.pop(0), ExitStack()
            self._calls[path] = stack.enter_context(self.tracker.track(path)), stack

    def _end(self, path: str) -> None:
        call, stack = self._calls.pop(path)
        stack.close()
        self.tracker.accept(call)
        self.tracker.file_finished(path, self._sizes[path])


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("per_line", [10, 33])
def test_percent_and_remaining_time_are_accurate_as_soon_as_they_are_known(
    at_once: int, per_line: int
) -> None:
    """Whatever the length of a line: it is measured in the task's own files."""
    lines = {"a": 80, "b": 60, "c": 60, "d": 40, "e": 20, "f": 20}
    model = Model({path: n * per_line for path, n in lines.items()}, at_once)
    model.tracker.planned(lines, at_once)
    shown: list[tuple[float, ProgressSnapshot, float]] = []
    while not model.over:
        model.step()
        shown.append((model.clock(), model.tracker.snapshot(), model.done))
    end = model.clock()
    percents = [view.percent for _, view, _ in shown if view.percent is not None]
    assert percents == sorted(percents)
    assert len(percents) > len(shown) / 3
    assert percents[-1] == 95
    for at, view, done in shown:
        if view.percent is not None:
            assert abs(view.percent - 95 * done) <= 3
        if view.seconds_left is not None:
            assert abs(view.seconds_left - (end - at)) <= 2 + 0.05 * (end - at)
    assert any(view.seconds_left for _, view, _ in shown)
    assert shown[-1][1].seconds_left == 0


def test_progress_is_unknown_before_enough_is_measured() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    assert tracker.snapshot() == ProgressSnapshot()
    with tracker.track("plan") as call:
        call.add_chunk(500)
    clock.seconds += 1
    tracker.planned({"tiny": 1, "large": 500}, 2)
    tracker.file_finished("tiny", 10)
    assert tracker.snapshot() == ProgressSnapshot(), "one line is no measure for five hundred"


def test_an_unknown_length_counts_as_the_median() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    tracker.planned({"a": 0, "b": 0}, 2)
    tracker.file_finished("a", 1000)
    assert tracker.snapshot().percent == 47
    tracker = new_tracker(clock)
    tracker.planned({"a": 100, "b": 0, "c": 100}, 2)
    tracker.file_finished("a", 1000)
    assert tracker.snapshot().percent == 31


def test_any_number_of_lines_in_a_plan_is_handled() -> None:
    """A number that no float can represent must not raise in a reader."""
    files = [{"path": path, "lines": lines} for path, lines in (("a", 20), ("b", 10**400), ("c", 30))]
    parsed = parse_plan(json.dumps({"files": files}))
    tracker = ProgressTracker(Clock())
    tracker.planned({file.path: file.lines for file in parsed.files}, 8)
    tracker.file_finished("a", 400)
    tracker.file_finished("c", 600)
    assert tracker.snapshot().percent == 0


def test_a_file_longer_than_planned_is_not_counted_as_complete() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    tracker.planned({"a": 50, "b": 50}, 2)
    tracker.file_finished("a", 1000)
    with tracker.track("b") as call:
        for _ in range(20):
            clock.seconds += 1
            call.add_chunk(1000)
            percent = tracker.snapshot().percent
            assert percent
            assert percent < 95
    tracker.accept(call)
    tracker.file_finished("b", 20_000)
    clock.seconds += 1
    assert tracker.snapshot().percent == 95


def test_the_percentage_never_falls_when_the_estimate_grows() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    tracker.planned({"a": 20, "b": 20, "c": 100}, 1)
    tracker.file_finished("a", 100)
    before = tracker.snapshot().percent
    clock.seconds += 1
    tracker.file_finished("b", 2000)  # lines of this task are long after all
    after = tracker.snapshot().percent
    assert before
    assert after
    assert after >= before


def test_a_rejected_answer_is_not_counted() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    tracker.planned({"a": 50, "b": 50}, 2)
    tracker.file_finished("a", 1000)
    with tracker.track("b") as call:
        call.add_chunk(900)
        assert tracker.snapshot().percent == 90
    clock.seconds += 1
    assert tracker.snapshot().percent == 90, "the percentage does not fall"
    with tracker.track("b") as call:
        call.add_chunk(1000)
    tracker.accept(call)
    tracker.file_finished("b", 1000)
    clock.seconds += 1
    assert tracker.snapshot().percent == 95


def test_a_call_without_tokens_is_stalled_until_the_next_chunk() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    with tracker.track("plan") as call:
        clock.seconds += STALLED_AFTER - 1
        assert not tracker.snapshot().stalled
        clock.seconds += 1
        assert tracker.snapshot().stalled
        call.add_chunk(0)  # a chunk without text
        clock.seconds += 1
        assert not tracker.snapshot().stalled
        clock.seconds += STALLED_AFTER
        assert tracker.snapshot().stalled
    clock.seconds += 1
    assert not tracker.snapshot().stalled


def test_the_longest_wait_for_a_rate_limit_is_shown() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    tracker.rate_limited("a", 30)
    tracker.rate_limited("b", 10)
    assert tracker.snapshot().rate_limited_until == clock.moment() + timedelta(seconds=30)
    with tracker.track("a"):
        clock.seconds += 1
        assert tracker.snapshot().rate_limited_until == clock.moment() + timedelta(seconds=9)
    clock.seconds += 9
    assert tracker.snapshot().rate_limited_until is None


def test_a_call_that_waits_because_another_task_has_met_the_limit_shows_it() -> None:
    clock, pauses = Clock(), [30.0]
    tracker = ProgressTracker(clock, clock.moment, lambda: pauses[0])
    until = clock.moment() + timedelta(seconds=30)
    assert tracker.snapshot().rate_limited_until is None  # no call of this task waits
    with tracker.track("plan", is_waiting=True) as call:
        clock.seconds += 1
        pauses[0] = 29.001  # two clocks never agree
        assert tracker.snapshot().rate_limited_until == until + timedelta(seconds=0.001)
        clock.seconds += STALLED_AFTER
        pauses[0] = 29 - STALLED_AFTER
        snapshot = tracker.snapshot()
        assert (snapshot.rate_limited_until, snapshot.stalled) == (until + timedelta(seconds=0.001), False)
        call.send()
        clock.seconds += 1
        assert tracker.snapshot().rate_limited_until is None
        clock.seconds += STALLED_AFTER
        assert tracker.snapshot().stalled


def test_a_rate_limit_wait_is_part_of_the_remaining_time() -> None:
    clock = Clock()
    tracker = new_tracker(clock)
    tracker.planned({"a": 50, "b": 50}, 2)
    with tracker.track("a") as call:
        for _ in range(10):
            clock.seconds += 1
            call.add_chunk(100)
    tracker.accept(call)
    tracker.file_finished("a", 1000)
    tracker.rate_limited("b", 60)
    assert tracker.snapshot().seconds_left == 60 + 1 + 10  # the wait, the first token, 1,000 characters


def test_the_registry_knows_a_task_for_as_long_as_its_tracker_is_held() -> None:
    registry = ProgressRegistry()
    assert registry.running("task-1") is None
    tracker = registry.begin("task-1")
    tracker.planned({"a": 50, "b": 50}, 2)
    tracker.file_finished("a", 1000)
    snapshot = registry.running("task-1")
    assert snapshot is not None
    assert snapshot.percent == 47
    del tracker
    gc.collect()
    assert registry.running("task-1") is None
