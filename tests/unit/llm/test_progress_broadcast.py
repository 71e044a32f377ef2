"""The progress of a task that another process runs."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import anyio
import pytest

from gencode.llm import progress_broadcast
from gencode.llm.progress_broadcast import MAX_REPORT, ProgressBroadcast
from gencode.llm.progress_tracker import REPORT_SECONDS, ProgressRegistry, ProgressSnapshot, RunProgress
from tests.unit.llm.test_progress_tracker import Clock

TASK = "task-1"


class Pair:
    """The registry of a process that runs tasks, and that of another one, which gets its reports."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.worker, self.web = ProgressRegistry(), ProgressRegistry(self.clock)
        self.sent: list[tuple[str, str]] = []
        self._receiver = ProgressBroadcast(self.web, lambda report, task_id: None)
        self.reports = ProgressBroadcast(self.worker, self._deliver)

    def _deliver(self, report: str, task_id: str) -> None:
        self.sent.append((report, task_id))
        self._receiver.receive(report)


def test_another_process_shows_what_is_measured() -> None:
    pair = Pair()
    tracker = pair.worker.begin(TASK)
    tracker.planned({"a": 50, "b 中": 50}, 2)
    tracker.file_finished("a", 1000)
    tracker.rate_limited("b 中", 60)
    with tracker.track("b 中"):
        pair.reports.report()
    assert pair.web.running(TASK) == pair.worker.running(TASK)
    assert pair.web.active_calls(TASK) == {"b 中"}
    assert [task_id for _, task_id in pair.sent] == [TASK]
    assert pair.web.running("task-2") is None
    assert pair.web.own() == {}


@pytest.mark.parametrize(
    "snapshot",
    [
        ProgressSnapshot(),
        ProgressSnapshot(percent=0, seconds_left=0, stalled=True),
        ProgressSnapshot(percent=40, rate_limited_until=datetime(2026, 1, 1, 12, 30, 1, 250, tzinfo=UTC)),
    ],
)
def test_a_report_says_all(snapshot: ProgressSnapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    progress = RunProgress(snapshot=snapshot, active_calls=frozenset({"plan"}))
    monkeypatch.setattr(pair.worker, "own", lambda: {TASK: progress})
    pair.reports.report()
    assert (pair.web.running(TASK), pair.web.active_calls(TASK)) == (snapshot, {"plan"})


def test_a_report_counts_for_some_seconds_and_is_forgotten_then() -> None:
    pair = Pair()
    trackers = [pair.worker.begin(f"task-{n}") for n in range(5)]
    pair.reports.report()
    del trackers[1:]
    gc.collect()
    pair.clock.seconds += REPORT_SECONDS
    assert pair.web.running("task-4") is not None
    pair.clock.seconds += 1
    assert pair.web.running("task-4") is None
    pair.reports.report()
    assert pair.web.running("task-0") is not None
    assert pair.web._reports.keys() == {"task-0"}


def test_what_is_measured_in_the_process_itself_wins() -> None:
    pair = Pair()
    there, here = pair.worker.begin(TASK), pair.web.begin(TASK)
    with there.track("a"), here.track("b"):
        pair.reports.report()
        assert pair.web.active_calls(TASK) == {"b"}


def test_a_report_with_too_many_calls_leaves_them_out() -> None:
    pair = Pair()
    tracker = pair.worker.begin(TASK)
    with tracker.track("中" * MAX_REPORT):
        pair.reports.report()
    assert len(pair.sent[0][0]) < MAX_REPORT
    assert pair.web.running(TASK) == tracker.snapshot()
    assert not pair.web.active_calls(TASK)


@pytest.mark.parametrize("report", ["", "[]", "{}", '{"task": "t"}'])
def test_what_is_no_report_is_refused(report: str) -> None:
    pair = Pair()
    with pytest.raises((ValueError, KeyError, TypeError)):
        pair._receiver.receive(report)
    assert not pair.web._reports


async def test_reports_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_broadcast, "REPORT_INTERVAL", 0)
    pair = Pair()
    tracker = pair.worker.begin(TASK)
    async with anyio.create_task_group() as group:
        group.start_soon(pair.reports.run)
        while len(pair.sent) < 3:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert tracker is not None
