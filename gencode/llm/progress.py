"""How far a task is, and for how long still: from what is measured, or not said at all.

The plan says lines; the files that are whole say how many characters a planned line of this task becomes; the
answers say how quickly characters come, and how long the first one takes.
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
from gencode.pipelines.generate.artifacts import Plan

SILENCE = 15.0
"""Seconds without a token after which a call counts as stalled; its own deadlines end it later."""
WRITTEN_PERCENT = 95
"""Once all files are written: nothing measures how long the rest takes, but it is little beside the writing."""
ALMOST = 0.97
"""Of a file that is not whole, whatever it has become: it is not done before the model says so."""
ENOUGH_LINES = 20
"""Planned lines that must have been written before they tell of the others; or a tenth of all."""
ENOUGH_SECONDS = 1.0
"""Of answers coming in, before they say anything about the speed."""
FRESH = 0.5
"""Seconds for which a view is good: many may look at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressSnapshot:
    """None: not known. `rate_limited_until`: in UTC; a call waits by its provider's wish."""

    percent: int | None = None
    seconds_left: int | None = None
    stalled: bool = False
    rate_limited_until: datetime | None = None


class CallProgress:
    """A model call under way; cheap, since tokens come by the hundred each second."""

    __slots__ = ("_clock", "about", "began", "first", "heard", "opening", "written")

    def __init__(self, about: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.about = about
        self.began = self.heard = clock()
        self.first = 0.0
        self.opening = 0
        """Characters that came with the first token: no time was measured for them."""
        self.written = 0

    def hear(self, characters: int) -> None:
        """A chunk has come, perhaps without text."""
        self.heard = self._clock()
        if not self.first and characters:
            self.first, self.opening = self.heard, characters
        self.written += characters


class ProgressTracker:
    """One stage's run of one task. `clock`: steady seconds; `moment`: the wall clock, in UTC."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, moment: Callable[[], datetime] = now
    ) -> None:
        self._clock = clock
        self._moment = moment
        self._lines: dict[str, float] = {}
        self._at_once = 1
        self._written: Counter[str] = Counter()
        self._whole: set[str] = set()
        self._calls: set[CallProgress] = set()
        self._waits: dict[str, datetime] = {}
        self._speed = _Speed()
        self._percent = 0
        self._seen: tuple[float, ProgressSnapshot] | None = None

    def planned(self, plan: Plan, at_once: int) -> None:
        """The whole plan. A file of which no length is said is taken for one of middle length."""
        known = [file.lines for file in plan.files if file.lines]
        usual = median(known) if known else 1
        self._lines = {file.path: file.lines or usual for file in plan.files}
        self._at_once = at_once

    def whole(self, path: str, characters: int) -> None:
        self._whole.add(path)
        self._written[path] = characters

    @contextmanager
    def call(self, about: str) -> Iterator[CallProgress]:
        """Around a call. What it said counts as written once it is kept."""
        self._waits.pop(about, None)
        call = CallProgress(about, self._clock)
        self._calls.add(call)
        try:
            yield call
        finally:
            self._calls.discard(call)
            self._speed.add(call)

    def keep(self, call: CallProgress) -> None:
        """Its answer can be used."""
        self._written[call.about] += call.written

    def wait(self, about: str, seconds: float) -> None:
        """The provider asked to be left alone for so long."""
        self._waits[about] = self._moment() + timedelta(seconds=seconds)

    def written(self) -> None:
        """Every file is; what is asked of the model from now on are repairs, and nobody knows how many."""
        self._lines, self._percent = {}, WRITTEN_PERCENT

    @property
    def asked_for(self) -> frozenset[str]:
        """What the calls under way are about."""
        return frozenset(call.about for call in self._calls)

    def view(self) -> ProgressSnapshot:
        """The percent never falls. 95 are the writing."""
        at = self._clock()
        if self._seen and at - self._seen[0] < FRESH:
            return self._seen[1]
        lengths = self._lengths()
        view = ProgressSnapshot(
            percent=self._share(lengths) if lengths else self._percent or None,
            seconds_left=self._left(lengths, at) if lengths else None,
            stalled=any(at - call.heard >= SILENCE for call in self._calls),
            rate_limited_until=self._limited(),
        )
        self._seen = at, view
        return view

    # --- what is known ------------------------------------------------------------------------------

    def _so_far(self) -> Counter[str]:
        so_far = Counter({path: self._written[path] for path in self._lines})
        for call in self._calls:
            if call.about in so_far and call.about not in self._whole:
                so_far[call.about] += call.written
        return so_far

    def _lengths(self) -> Mapping[str, float]:
        """Characters that each file has or is expected to get; empty while too little is known."""
        done = self._whole & self._lines.keys()
        lines = sum(self._lines[path] for path in done)
        if not lines or lines < min(ENOUGH_LINES, sum(self._lines.values()) / 10):
            return {}
        ratio = sum(self._written[path] for path in done) / lines
        so_far = self._so_far()
        return {
            path: so_far[path] if path in done else max(ratio * expected, so_far[path] / ALMOST, 1.0)
            for path, expected in self._lines.items()
        }

    def _share(self, lengths: Mapping[str, float]) -> int:
        so_far, all_of_it = self._so_far(), sum(lengths.values())
        done = sum(
            length if path in self._whole else min(so_far[path], ALMOST * length)
            for path, length in lengths.items()
        )
        share = done / all_of_it if all_of_it else 1.0
        self._percent = max(self._percent, int(WRITTEN_PERCENT * share))
        return self._percent

    def _left(self, lengths: Mapping[str, float], at: float) -> int | None:
        """As the files will be written: those under way, then the longest first, so many at once."""
        if not (rate := self._speed.rate(self._calls)):
            return None
        so_far, latency = self._so_far(), self._speed.latency(self._calls)
        under_way = {call.about: call for call in self._calls if call.about in lengths}
        ends, queue = [0.0] * self._at_once, []
        for path in lengths.keys() - self._whole:
            rest = (lengths[path] - so_far[path]) / rate
            if call := under_way.get(path):
                begin = 0.0 if call.first else max(latency - (at - call.began), 0.0)
                heapq.heapreplace(ends, begin + rest)
            elif path in self._waits:
                heapq.heapreplace(ends, self._pause(path) + latency + rest)
            else:
                queue.append(latency + rest)
        for length in sorted(queue, reverse=True):
            heapq.heapreplace(ends, ends[0] + length)
        return math.ceil(max(ends))

    def _pause(self, about: str) -> float:
        return max((self._waits[about] - self._moment()).total_seconds(), 0.0)

    def _limited(self) -> datetime | None:
        until = max(self._waits.values(), default=None)
        return until if until and until > self._moment() else None


class _Speed:
    """Of all calls so far, and of those under way."""

    def __init__(self) -> None:
        self._characters = 0
        self._seconds = 0.0
        self._latency = 0.0
        self._calls = 0

    def add(self, call: CallProgress) -> None:
        if call.first:
            self._characters += call.written - call.opening
            self._seconds += call.heard - call.first
            self._latency += call.first - call.began
            self._calls += 1

    def rate(self, under_way: set[CallProgress]) -> float | None:
        """Characters a second of one answer."""
        speaking = [call for call in under_way if call.first]
        characters = self._characters + sum(call.written - call.opening for call in speaking)
        seconds = self._seconds + sum(call.heard - call.first for call in speaking)
        return characters / seconds if characters and seconds >= ENOUGH_SECONDS else None

    def latency(self, under_way: set[CallProgress]) -> float:
        """Seconds until the first token."""
        speaking = [call for call in under_way if call.first]
        seconds = self._latency + sum(call.first - call.began for call in speaking)
        return seconds / (self._calls + len(speaking)) if self._calls or speaking else 0.0


class ProgressRegistry:
    """What runs, by task. A work is known for as long as its stage holds it."""

    def __init__(self) -> None:
        self._works: WeakValueDictionary[str, ProgressTracker] = WeakValueDictionary()

    def begin(self, task_id: str) -> ProgressTracker:
        work = self._works[task_id] = ProgressTracker()
        return work

    def running(self, task_id: str) -> ProgressSnapshot | None:
        """Of a task whose model is at work in this process."""
        work = self._works.get(task_id)
        return work.view() if work else None

    def asked_for(self, task_id: str) -> frozenset[str]:
        work = self._works.get(task_id)
        return work.asked_for if work else frozenset()
