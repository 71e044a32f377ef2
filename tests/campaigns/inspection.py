"""Checks of the database after each kill, and of tasks, streams and repositories at the end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.campaigns.follower import Follower
from tests.campaigns.model import Call, PacedModel
from tests.campaigns.observations import Observations
from tests.campaigns.orders import Order
from tests.campaigns.stored import StoredTask
from tests.servers.github import ScriptedGitHub

Faults = list[str]


@dataclass
class ModelCalls:
    """Model calls of all incarnations so far.

    repeated     made although the answer was in a checkpoint, or had come completely in the same incarnation
    uncommitted  answered completely, but the kill came before the commit: these cannot be avoided
    paid_twice   of the uncommitted, those made again: the cost of a kill between an answer and its commit
    """

    made: int = 0
    answered: int = 0
    repeated: Faults = field(default_factory=list)
    uncommitted: int = 0
    paid_twice: int = 0
    _lost: set[tuple[int, str]] = field(default_factory=set)

    def add(
        self,
        model: PacedModel,
        calls: Sequence[Call],
        before: Mapping[int, StoredTask],
        after: Mapping[int, StoredTask],
    ) -> None:
        """Add the calls of one incarnation, with what was stored when it began and when it ended."""
        answered_calls: set[tuple[int, str]] = set()
        for call in calls:
            name = call.order, call.part
            if name in answered_calls or (
                call.order in before and call.part in before[call.order].checkpoints
            ):
                self.repeated.append(
                    f"order {call.order}: {call.part} was requested again in incarnation {call.incarnation}"
                )
            self.paid_twice += name in self._lost
            self._lost.discard(name)
            if model.answered(call):
                answered_calls.add(name)
        lost = {
            name
            for name in answered_calls
            if name[0] not in after or name[1] not in after[name[0]].checkpoints
        }
        self._lost |= lost
        self.made += len(calls)
        self.answered += len(answered_calls)
        self.uncommitted += len(lost)


def lost_state(
    observations: Observations, before: Mapping[int, StoredTask], after: Mapping[int, StoredTask]
) -> Faults:
    """What the store has lost, or what subscribers received before it was stored."""
    faults = []
    for number, task_id in observations.accepted.items():
        if number not in after or after[number].id != task_id:
            faults.append(f"order {number} was accepted as {task_id} and is lost")
        elif observations.newest_event[number] > after[number].sequence:
            faults.append(
                f"order {number}: event {observations.newest_event[number]} was published and is not stored"
            )
    for number, task in before.items():
        if (
            number not in after
            or not task.checkpoints <= after[number].checkpoints
            or task.sequence > after[number].sequence
        ):
            faults.append(f"order {number}: what was stored is gone")
    return faults


def duplicates(tasks: Iterable[StoredTask]) -> Faults:
    counts = Counter(task.number for task in tasks)
    return [f"order {number} became {count} tasks" for number, count in counts.items() if count > 1]


def stream_faults(follower: Follower, log: Sequence[bytes]) -> Faults:
    """Gaps, repeats, wrong order, or other bytes than those of the stored log."""
    name, ids = f"a subscriber of {follower.task_id}", follower.ids
    faults = []
    if len(set(ids)) < len(ids):
        faults.append(f"{name} got an event twice")
    if ids != sorted(ids):
        faults.append(f"{name} got events out of order")
    if set(ids) != set(range(1, len(log) + 1)):
        faults.append(f"{name} missed events, or got too many: {len(ids)} of {len(log)}")
    if not faults and follower.messages != list(log):
        faults.append(f"{name} got other bytes than the log has")
    return faults


async def repository_faults(github: ScriptedGitHub, order: Order, task: Mapping[str, Any]) -> Faults:
    """There must be one repository with one branch and one commit: the reported one, of the order's files."""
    name, marker = f"order {order.number}", f"[gencode:{task['task_id']}]"
    if task["status"] != "completed":
        return [f"{name} ended as {task['status']}: {task['error']}"]
    rows = [row for row in github.repos.values() if (row.description or "").endswith(marker)]
    if len(rows) != 1:
        return [f"{name} has {len(rows)} repositories"]
    path = github.git.path(rows[0].owner, rows[0].name)
    refs = await github.git.git(path, "for-each-ref", "--format=%(refname) %(objectname)")
    if refs != f"refs/heads/main {task['commit']}\n":
        return [f"{name} reports {task['commit']}, its repository has {refs!r}"]
    if await github.git.git(path, "rev-list", "--count", "main") != "1\n":
        return [f"{name} has more than one commit"]
    listing = await github.git.git(path, "ls-tree", "-r", "-z", "main")
    return (
        []
        if _blobs_by_path(listing) == _expected(order)
        else [f"{name}: the files pushed are not those written"]
    )


def _blobs_by_path(listing: str) -> dict[str, str]:
    """Path to blob, of `git ls-tree -r -z`."""
    entries = [entry.split("\t", 1) for entry in listing.split("\0") if entry]
    return {path: head for head, path in entries}


def _expected(order: Order) -> dict[str, str]:
    return {path: f"100644 blob {_blob(text.encode())}" for path, text in order.files.items()}


def _blob(data: bytes) -> str:
    """The object id of the content, computed without Git."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
