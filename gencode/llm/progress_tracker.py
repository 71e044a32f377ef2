"""Measures a task's progress and estimates the remaining time; unknown while too little is measured.

The plan gives the expected lines of each file. Complete files give the characters per planned line of this
task. Answers give the characters per second and the time to the first token.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from weakref import WeakValueDictionary

from gencode.domain.task import now

STALLED_AFTER = 15.0
"""Seconds without a token after which a call counts as stalled; its deadlines end it later."""
WRITTEN_PERCENT = 95
"""The percentage once all files are written. The duration of the rest is not measured, but it is short
compared with the writing."""
MAX_INCOMPLETE = 0.97
"""The greatest share of an incomplete file, however long it has become: only the model can complete it."""
MIN_LINES = 20
"""Planned lines in complete files, or a tenth of all lines, before other lengths are estimated."""
MIN_SECONDS = 1.0
"""Seconds of streamed answers that must be measured before a rate is known."""
MAX_AGE = 0.5
"""Seconds for which a snapshot is reused: many subscribers may read it at once."""
REPORT_SECONDS = 5.0
"""Seconds for which a report of another process is valid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressSnapshot:
    """None if unknown. `rate_limited_until` (UTC): the provider's rate limit delays a call until then."""

    percent: int | None = None
    seconds_left: int | None = None
    stalled: bool = False
    rate_limited_until: datetime | None = None


class CallProgress:
    """One model call in progress. Cheap to update: tokens arrive by the hundred each second.

    is_waiting        for a free slot at the API: nothing has been sent
    first_token       the time of the first text; 0.0 before it
    first_characters  arrived with the first token: no time was measured for them
    """

    __slots__ = (
        *("_clock", "about", "characters", "first_characters", "first_token"),
        *("is_waiting", "last_chunk", "started"),
    )

    def __init__(self, about: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.about = about
        self.started = self.last_chunk = clock()
        self.first_token = 0.0
        self.first_characters = 0
        self.characters = 0
        self.is_waiting = False

    def send(self) -> None:
        """The call has its slot and is sent: its times are measured from now on."""
        self.started = self.last_chunk = self._clock()
        self.is_waiting = False

    @property
    def seconds(self) -> float:
        """From the request to the last chunk."""
        return self.last_chunk - self.started

    def add_chunk(self, characters: int) -> None:
        """Count a chunk, perhaps without text."""
        self.last_chunk = self._clock()
        if not self.first_token and characters:
            self.first_token, self.first_characters = self.last_chunk, characters
        self.characters += characters


class ProgressTracker:
    """The progress of one run of one task's stage.

    clock    monotonic seconds
    utc_now  the wall clock
    pause    seconds for which the task's model is not called, because its API limits the rate
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = now,
        pause: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._clock = clock
        self._utc_now = utc_now
        self._pause = pause
        self._paused_until: datetime | None = None
        self._lines: dict[str, float] = {}
        self._at_once = 1
        self._characters: Counter[str] = Counter()
        self._finished: set[str] = set()
        self._calls: set[CallProgress] = set()
        self._waits: dict[str, datetime] = {}
        self._speed = _Speed()
        self._percent = 0
        self._cached: tuple[float, ProgressSnapshot] | None = None

    def planned(self, lines: Mapping[str, int], at_once: int) -> None:
        """The expected lines of every file by path; 0, unknown, counts as the median of the others."""
        known = [count for count in lines.values() if count]
        usual = median(known) if known else 1
        self._lines = {path: count or usual for path, count in lines.items()}
        self._at_once = at_once

    def file_finished(self, path: str, characters: int) -> None:
        """Notes that the file is complete, with its length."""
        self._finished.add(path)
        self._characters[path] = characters

    @contextmanager
    def track(self, about: str, *, is_waiting: bool = False) -> Iterator[CallProgress]:
        """Track a call within the context. Its text counts permanently once it is accepted.

        `is_waiting`: until `send`.
        """
        self._waits.pop(about, None)
        call = CallProgress(about, self._clock)
        call.is_waiting = is_waiting
        self._calls.add(call)
        try:
            yield call
        finally:
            self._calls.discard(call)
            self._speed.add(call)

    def accept(self, call: CallProgress) -> None:
        """Counts the call's text permanently: its answer was accepted."""
        self._characters[call.about] += call.characters

    def rate_limited(self, about: str, seconds: float) -> None:
        """Notes the wait before the next attempt, which the provider requested."""
        self._waits[about] = self._utc_now() + timedelta(seconds=seconds)

    def writing_finished(self) -> None:
        """Notes that all files are complete; the number of repairs that follow is unknown."""
        self._lines, self._percent = {}, WRITTEN_PERCENT

    @property
    def active_calls(self) -> frozenset[str]:
        """The subjects of the calls in progress: "plan" or paths."""
        return frozenset(call.about for call in self._calls)

    def snapshot(self) -> ProgressSnapshot:
        """The percentage never falls; writing the files accounts for the first 95."""
        at = self._clock()
        if self._cached and at - self._cached[0] < MAX_AGE:
            return self._cached[1]
        lengths = self._lengths()
        made = ProgressSnapshot(
            percent=self._percent_of(lengths) if lengths else self._percent or None,
            seconds_left=self._seconds_left(lengths, at) if lengths else None,
            stalled=any(at - call.last_chunk >= STALLED_AFTER for call in self._calls if not call.is_waiting),
            rate_limited_until=self._rate_limited_until(),
        )
        self._cached = at, made
        return made

    def _characters_so_far(self) -> Counter[str]:
        so_far = Counter({path: self._characters[path] for path in self._lines})
        for call in self._calls:
            if call.about in so_far and call.about not in self._finished:
                so_far[call.about] += call.characters
        return so_far

    def _lengths(self) -> Mapping[str, float]:
        """The actual or expected characters of each file; empty while too little is measured."""
        done = self._finished & self._lines.keys()
        lines = sum(self._lines[path] for path in done)
        if not lines or lines < min(MIN_LINES, sum(self._lines.values()) / 10):
            return {}
        ratio = sum(self._characters[path] for path in done) / lines
        so_far = self._characters_so_far()
        return {
            path: so_far[path] if path in done else max(ratio * expected, so_far[path] / MAX_INCOMPLETE, 1.0)
            for path, expected in self._lines.items()
        }

    def _percent_of(self, lengths: Mapping[str, float]) -> int:
        so_far, expected = self._characters_so_far(), sum(lengths.values())
        done = sum(
            length if path in self._finished else min(so_far[path], MAX_INCOMPLETE * length)
            for path, length in lengths.items()
        )
        share = done / expected if expected else 1.0
        self._percent = max(self._percent, int(WRITTEN_PERCENT * share))
        return self._percent

    def _seconds_left(self, lengths: Mapping[str, float], at: float) -> int | None:
        """Simulates the schedule: calls in progress, then the longest files first, `at_once` in parallel."""
        if not (rate := self._speed.rate(self._calls)):
            return None
        so_far, latency = self._characters_so_far(), self._speed.latency(self._calls)
        in_progress = {call.about: call for call in self._calls if call.about in lengths}
        ends, queue = [0.0] * self._at_once, []
        for path in lengths.keys() - self._finished:
            rest = (lengths[path] - so_far[path]) / rate
            if call := in_progress.get(path):
                start = 0.0 if call.first_token else max(latency - (at - call.started), 0.0)
                start += self._pause() if call.is_waiting else 0.0
                heapq.heapreplace(ends, start + rest)
            elif path in self._waits:
                heapq.heapreplace(ends, self._wait_left(path) + latency + rest)
            else:
                queue.append(latency + rest)
        for length in sorted(queue, reverse=True):
            heapq.heapreplace(ends, ends[0] + length)
        return math.ceil(max(ends))

    def _wait_left(self, about: str) -> float:
        return max((self._waits[about] - self._utc_now()).total_seconds(), 0.0)

    def _rate_limited_until(self) -> datetime | None:
        """The latest end of the waits of this task's calls, and of the pause that another task's call has
        caused."""
        at = self._utc_now()
        untils = [until for until in self._waits.values() if until > at]
        if (pause := self._pause()) > 0 and any(call.is_waiting for call in self._calls):
            untils.append(self._end_of_pause(at + timedelta(seconds=pause)))
        return max(untils, default=None)

    def _end_of_pause(self, until: datetime) -> datetime:
        """Keeps the end time stable during a pause. It is computed from two clocks and would jitter, and
        every change is sent to clients."""
        if self._paused_until is None or abs(until - self._paused_until) >= timedelta(seconds=1):
            self._paused_until = until
        return self._paused_until


class _Speed:
    """Rate and latency of all calls so far, including those in progress."""

    def __init__(self) -> None:
        self._characters = 0
        self._seconds = 0.0
        self._latency = 0.0
        self._calls = 0

    def add(self, call: CallProgress) -> None:
        if call.first_token:
            self._characters += call.characters - call.first_characters
            self._seconds += call.last_chunk - call.first_token
            self._latency += call.first_token - call.started
            self._calls += 1

    def rate(self, in_progress: set[CallProgress]) -> float | None:
        """Characters per second of one answer; None while too little is measured."""
        streaming = [call for call in in_progress if call.first_token]
        characters = self._characters + sum(call.characters - call.first_characters for call in streaming)
        seconds = self._seconds + sum(call.last_chunk - call.first_token for call in streaming)
        return characters / seconds if characters and seconds >= MIN_SECONDS else None

    def latency(self, in_progress: set[CallProgress]) -> float:
        """Seconds until the first token."""
        streaming = [call for call in in_progress if call.first_token]
        seconds = self._latency + sum(call.first_token - call.started for call in streaming)
        return seconds / (self._calls + len(streaming)) if self._calls or streaming else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunProgress:
    """The progress of a running stage. `active_calls`: the subjects of its model calls, "plan" or paths."""

    snapshot: ProgressSnapshot
    active_calls: frozenset[str] = frozenset()


class ProgressRegistry:
    """The running stages, by task. A tracker is registered for as long as its stage references it; a report
    of another process is valid for REPORT_SECONDS."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._trackers: WeakValueDictionary[str, ProgressTracker] = WeakValueDictionary()
        self._reports: dict[str, tuple[float, RunProgress]] = {}
        """Reports of other processes, with their times of arrival; the oldest first."""

    def begin(self, task_id: str, pause: Callable[[], float] = lambda: 0.0) -> ProgressTracker:
        """Register a new run of the task. `pause`: see ProgressTracker."""
        tracker = self._trackers[task_id] = ProgressTracker(pause=pause)
        return tracker

    def running(self, task_id: str) -> ProgressSnapshot | None:
        """The progress of a task whose stage calls models, in this process or another; None for any other
        task."""
        progress = self._progress(task_id)
        return progress.snapshot if progress else None

    def active_calls(self, task_id: str) -> frozenset[str]:
        """The subjects of the task's model calls in progress: "plan" or paths."""
        progress = self._progress(task_id)
        return progress.active_calls if progress else frozenset()

    def own(self) -> dict[str, RunProgress]:
        """The stages that run in this process, by task."""
        return {task_id: _measured(tracker) for task_id, tracker in list(self._trackers.items())}

    def report(self, task_id: str, progress: RunProgress) -> None:
        """Stores the report of another process, which runs the task."""
        at = self._clock()
        self._reports.pop(task_id, None)
        self._reports[task_id] = at, progress
        while at - self._reports[oldest := next(iter(self._reports))][0] > REPORT_SECONDS:
            del self._reports[oldest]

    def _progress(self, task_id: str) -> RunProgress | None:
        if tracker := self._trackers.get(task_id):
            return _measured(tracker)
        at, progress = self._reports.get(task_id, (-math.inf, None))
        return progress if self._clock() - at <= REPORT_SECONDS else None


def _measured(tracker: ProgressTracker) -> RunProgress:
    return RunProgress(snapshot=tracker.snapshot(), active_calls=tracker.active_calls)
