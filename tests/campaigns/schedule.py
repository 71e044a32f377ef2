"""How each life of the service is to end, from a seed and what the store says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.campaigns.ledger import Stored

MERCY = 3
"""Starts without progress, after which a task is let make some: the service gives up at five (CRASH_LOOP)."""
RIPE = 2
"""Missing answers, with which an order can be brought to its repository within one life."""
_SUBMITTING = ("create.before", "create.after")
_GENERATING = ("commit.before", "commit.after", "publish.before", "publish.after", "answer.after")
_CREATING = ("repo.before", "repo.after", "github.create")
_PUSHING = ("push.before", "push.after", "github.push")
FAILPOINTS = (*_SUBMITTING, *_GENERATING, *_CREATING, *_PUSHING)
"""Those of tests.servers.failpoints, and the moments of tests.campaigns.github."""


@dataclass(frozen=True, kw_only=True)
class Death:
    """The end of one life.

    failpoint  where to die, "" for a kill from outside
    nth        at which passage of it
    early      seconds after the start of the process to kill it, ready or not; None: once it is ready
    late       seconds after ready for a kill from outside (with a failpoint: if it is not passed by then)
    answers    how many answers of the model may end in this life
    favoured   orders whose answers end first; with `merciful` also each makes progress before the kill
    """

    failpoint: str = ""
    nth: int = 0
    early: float | None = None
    late: float = 0.5
    answers: int = 0
    favoured: Sequence[int] = ()
    merciful: bool = False


class Schedule:
    """`passed`: how often each failpoint has killed, told by the campaign.

    The draws for a life depend on the seed and its number alone; what they choose among depends on how
    far the tasks have come, which is the machine's affair."""

    def __init__(self, seed: int, kills: int) -> None:
        self._seed = seed
        self._kills = kills
        self.passed: Counter[str] = Counter()

    def death(
        self, life: int, tasks: Collection[Stored], missing: Mapping[int, int], submitting: bool
    ) -> Death:
        """`missing`: answers that each order still needs; `submitting`: whether a client is about to."""
        random = Random(f"{self._seed}:{life}")
        draw, late = random.random(), random.random()
        answers = self._answers(sum(missing.values()), life, random)
        working = [task for task in tasks if not task.over]
        if poor := [task.number for task in working if task.attempts >= MERCY]:
            return Death(answers=max(answers, len(poor)), favoured=poor, merciful=True, late=late * 0.2)
        points, favoured = self._within_reach(working, missing, submitting)
        if fresh := [point for point in points if not self.passed[point]]:
            return self._at(fresh, random, answers, favoured)
        if draw < 0.08:
            return Death(early=0.6 * late)
        if draw < 0.3 or not points:
            return Death(answers=answers, late=0.7 * late)
        if points is not _GENERATING and random.random() < 0.3:
            points, favoured = _GENERATING, ()
        return self._at(points, random, answers, favoured)

    def _within_reach(
        self, working: Sequence[Stored], missing: Mapping[int, int], submitting: bool
    ) -> tuple[Sequence[str], Sequence[int]]:
        """Failpoints that this life can pass, the rarer ones first, and whose answers that takes."""
        if submitting:
            return _SUBMITTING, ()
        ripe = min(working, key=lambda task: missing[task.number], default=None)
        if ripe and missing[ripe.number] <= RIPE:
            points = _PUSHING if "repo" in ripe.kept else (*_CREATING, *_PUSHING)
            return points, [ripe.number] * missing[ripe.number]
        return (_GENERATING, ()) if working else ((), ())

    def _at(self, points: Sequence[str], random: Random, answers: int, favoured: Sequence[int] = ()) -> Death:
        """At one of these, at one that has killed least often."""
        least = min(self.passed[point] for point in points)
        point = random.choice([point for point in points if self.passed[point] == least])
        answers = max(answers, len(favoured), point == "answer.after")
        nth = _passage(point, answers, random)
        return Death(failpoint=point, nth=nth, late=1.0, answers=answers, favoured=favoured)

    def _answers(self, left: int, life: int, random: Random) -> int:
        """So many that the work lasts until the last kill."""
        mean = left / max(self._kills - life, 1)
        return int(mean) + (random.random() < mean % 1)


def _passage(point: str, answers: int, random: Random) -> int:
    """Of the points that are passed all the time the later ones more often: each life begins with a few
    commits that start tasks, and dying among them always would bring nothing on."""
    if point == "answer.after":
        return random.randint(1, answers)
    if point in _GENERATING:
        return max(random.randint(1, 4 + answers), random.randint(1, 4 + answers))
    return 1
