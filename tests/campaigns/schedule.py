"""Plans the kill of each incarnation of the service, from a seed and the state of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from tests.campaigns.stored import StoredTask

STARTS_WITHOUT_PROGRESS = 4
"""After so many starts without a checkpoint a task is not killed before it makes one: after five the service
would fail it with CRASH_LOOP, as it should."""
FAILPOINT_SECONDS, RARE_FAILPOINT_SECONDS = 1.0, 10.0
"""Seconds from ready until a kill from outside replaces a failpoint that was not reached; the second for
failpoints that are reached at most once per incarnation: slow machines must reach them too."""
ALMOST_DONE = 2
"""Missing answers, with which an order can get its repository within one incarnation."""
_SUBMITTING = ("create.before", "create.after")
_GENERATING = ("commit.before", "commit.after", "publish.before", "publish.after", "answer.after")
_CREATING = ("repo.before", "repo.after", "github.create")
_PUSHING = ("push.before", "push.after", "github.push")
FAILPOINTS = (*_SUBMITTING, *_GENERATING, *_CREATING, *_PUSHING)
"""Those of tests.servers.failpoints, and those of tests.campaigns.github."""


@dataclass(frozen=True, kw_only=True)
class KillPlan:
    """The end of one incarnation.

    failpoint            where the process kills itself; "" for a kill from outside
    passage              at which passage of the failpoint
    seconds_after_start  kill it so long after its start, ready or not; None: once it is ready
    seconds_after_ready  kill it from outside so long after ready (with a failpoint: if it is not reached by
                         then)
    answers              orders of which an answer of the model may end; None: of any order
    must_progress        orders that must reach a checkpoint before the kill
    """

    failpoint: str = ""
    passage: int = 0
    seconds_after_start: float | None = None
    seconds_after_ready: float = 0.5
    answers: Sequence[int | None] = ()
    must_progress: Sequence[int] = ()


class Schedule:
    """`kills_at`: how often each failpoint has killed, counted by the campaign.

    The draws for an incarnation depend on the seed and its number only; what they select from depends on how
    far the tasks are, and so on the machine."""

    def __init__(self, seed: int, kills: int) -> None:
        self._seed = seed
        self._kills = kills
        self.kills_at: Counter[str] = Counter()

    def plan(
        self, incarnation: int, tasks: Collection[StoredTask], missing: Mapping[int, int], submitting: bool
    ) -> KillPlan:
        """`missing`: answers that each order still needs; `submitting`: whether a client is about to submit
        an order that the service does not have."""
        random = Random(f"{self._seed}:{incarnation}")
        draw, seconds_after_ready = random.random(), random.random()
        working = [task for task in tasks if not task.is_finished]
        answers = self._answers(missing, working, incarnation, random)
        if must_progress := [task.number for task in working if task.attempts >= STARTS_WITHOUT_PROGRESS]:
            return KillPlan(
                answers=[*must_progress, *answers],
                must_progress=must_progress,
                seconds_after_ready=seconds_after_ready * 0.2,
            )
        points, needed = self._within_reach(working, missing, submitting)
        if fresh := [point for point in points if not self.kills_at[point]]:
            return self._at(fresh, random, [*needed, *answers])
        if draw < 0.08:
            return KillPlan(seconds_after_start=0.6 * seconds_after_ready)
        if draw < 0.25 or not points:
            return KillPlan(answers=answers, seconds_after_ready=0.7 * seconds_after_ready)
        if points is not _GENERATING and random.random() < 0.3:
            points, needed = _GENERATING, ()
        return self._at(points, random, [*needed, *answers])

    def _within_reach(
        self, working: Sequence[StoredTask], missing: Mapping[int, int], submitting: bool
    ) -> tuple[Sequence[str], Sequence[int]]:
        """Failpoints that this incarnation can reach, rare ones first, and whose answers that needs."""
        if submitting:
            return self._submitting(), ()
        almost_done = min(working, key=lambda task: missing[task.number], default=None)
        if almost_done and missing[almost_done.number] <= ALMOST_DONE:
            return self._creating_or_pushing(almost_done), [almost_done.number] * missing[almost_done.number]
        return (_GENERATING, ()) if working else ((), ())

    def _submitting(self) -> Sequence[str]:
        """A kill after a creation may leave no order for a kill before one: that comes first."""
        return _SUBMITTING if self.kills_at[_SUBMITTING[0]] else _SUBMITTING[:1]

    def _creating_or_pushing(self, task: StoredTask) -> Sequence[str]:
        """A kill at a push uses up a creation: creations come first until each of their points has killed."""
        if "repo" in task.checkpoints:
            return _PUSHING
        return (*_CREATING, *_PUSHING) if all(self.kills_at[point] for point in _CREATING) else _CREATING

    def _at(self, points: Sequence[str], random: Random, answers: Sequence[int | None]) -> KillPlan:
        """At one of the failpoints that have killed least often."""
        least = min(self.kills_at[point] for point in points)
        point = random.choice([point for point in points if self.kills_at[point] == least])
        answers = answers or [None]
        passage = _draw_passage(point, len(answers), random)
        seconds_after_ready = FAILPOINT_SECONDS if point in _GENERATING else RARE_FAILPOINT_SECONDS
        return KillPlan(
            failpoint=point, passage=passage, seconds_after_ready=seconds_after_ready, answers=answers
        )

    def _answers(
        self, missing: Mapping[int, int], working: Sequence[StoredTask], incarnation: int, random: Random
    ) -> list[int | None]:
        """So many that the work lasts until the last kill, distributed over the unfinished orders."""
        mean = sum(missing.values()) / max(self._kills - incarnation, 1)
        takers: list[int | None] = [task.number for task in working if missing[task.number]] or [None]
        random.shuffle(takers)
        return list(islice(cycle(takers), int(mean) + (random.random() < mean % 1)))


def _draw_passage(point: str, answers: int, random: Random) -> int:
    """Later passages more often: each incarnation begins with a few commits that start tasks, and no task
    would progress if all kills came among those."""
    if point == "answer.after":
        return random.randint(1, answers)
    if point in _GENERATING:
        return max(random.randint(1, 4 + answers) for _ in range(3))
    return 1
