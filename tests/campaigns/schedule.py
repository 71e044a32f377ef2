"""How each life of the service is to end, from a seed and what the store says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from tests.campaigns.ledger import Stored

MERCY = 4
"""Starts without progress, after which a task is let make some: after five the service would give it up
(CRASH_LOOP), and rightly so."""
LATE, RARE_LATE = 1.0, 10.0
"""Seconds after ready, after which a failpoint that is not passed gives way to a kill from outside; the
second for those that are passed at most once a life, which a slow machine must come to as well."""
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
    answers    orders of which an answer of the model may end in this life; None: any one's
    poor       orders that must make progress before the kill
    """

    failpoint: str = ""
    nth: int = 0
    early: float | None = None
    late: float = 0.5
    answers: Sequence[int | None] = ()
    poor: Sequence[int] = ()


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
        """`missing`: answers that each order still needs; `submitting`: whether a client is about to,
        with an order that the service does not know."""
        random = Random(f"{self._seed}:{life}")
        draw, late = random.random(), random.random()
        working = [task for task in tasks if not task.over]
        answers = self._answers(missing, working, life, random)
        if poor := [task.number for task in working if task.attempts >= MERCY]:
            return Death(answers=[*poor, *answers], poor=poor, late=late * 0.2)
        points, needed = self._within_reach(working, missing, submitting)
        if fresh := [point for point in points if not self.passed[point]]:
            return self._at(fresh, random, [*needed, *answers])
        if draw < 0.08:
            return Death(early=0.6 * late)
        if draw < 0.25 or not points:
            return Death(answers=answers, late=0.7 * late)
        if points is not _GENERATING and random.random() < 0.3:
            points, needed = _GENERATING, ()
        return self._at(points, random, [*needed, *answers])

    def _within_reach(
        self, working: Sequence[Stored], missing: Mapping[int, int], submitting: bool
    ) -> tuple[Sequence[str], Sequence[int]]:
        """Failpoints that this life can pass, the rarer ones first, and whose answers that takes."""
        if submitting:
            return self._submitting(), ()
        ripe = min(working, key=lambda task: missing[task.number], default=None)
        if ripe and missing[ripe.number] <= RIPE:
            return self._placing(ripe), [ripe.number] * missing[ripe.number]
        return (_GENERATING, ()) if working else ((), ())

    def _submitting(self) -> Sequence[str]:
        """One death after a creation can leave none for a death before it."""
        return _SUBMITTING if self.passed[_SUBMITTING[0]] else _SUBMITTING[:1]

    def _placing(self, task: Stored) -> Sequence[str]:
        """Deaths at pushes would let creations pass by: those come first as long as any is new."""
        if "repo" in task.checkpoints:
            return _PUSHING
        return (*_CREATING, *_PUSHING) if all(self.passed[point] for point in _CREATING) else _CREATING

    def _at(self, points: Sequence[str], random: Random, answers: Sequence[int | None]) -> Death:
        """At one of these, at one that has killed least often."""
        least = min(self.passed[point] for point in points)
        point = random.choice([point for point in points if self.passed[point] == least])
        answers = answers or [None]
        nth = _passage(point, len(answers), random)
        late = LATE if point in _GENERATING else RARE_LATE
        return Death(failpoint=point, nth=nth, late=late, answers=answers)

    def _answers(
        self, missing: Mapping[int, int], working: Sequence[Stored], life: int, random: Random
    ) -> list[int | None]:
        """So many that the work lasts until the last kill, shared among those under way."""
        mean = sum(missing.values()) / max(self._kills - life, 1)
        takers: list[int | None] = [task.number for task in working if missing[task.number]] or [None]
        random.shuffle(takers)
        return list(islice(cycle(takers), int(mean) + (random.random() < mean % 1)))


def _passage(point: str, answers: int, random: Random) -> int:
    """Of the points that are passed all the time the later ones more often: each life begins with a few
    commits that start tasks, and dying among them always would bring nothing on."""
    if point == "answer.after":
        return random.randint(1, answers)
    if point in _GENERATING:
        return max(random.randint(1, 4 + answers) for _ in range(3))
    return 1
