"""The requested writes as plain rows, and the decisions about them that need no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gencode.domain.callback import NOTIFIED_EVENTS
from gencode.domain.errors import Conflict, IdempotencyKeyReused
from gencode.domain.task import State
from gencode.storage.rows import TASK_COLUMNS, Row

_VERSION = TASK_COLUMNS.index("version")
_STATE = TASK_COLUMNS.index("state")
_PRINCIPAL = TASK_COLUMNS.index("principal")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Create:
    """Its outcome is None, or the Task that `key` named first."""

    task: Row
    request: Row
    events: Sequence[Row]
    key: Row | None = None
    callback: Row | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Commit:
    """Its outcome is None."""

    task: Row
    events: Sequence[Row]
    checkpoints: Sequence[Row] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SaveCallback:
    """Its outcome is None."""

    callback: Row


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClaimCallback:
    """See Outbox.claim_callback. `values`: until, task id, position, failures, due. Its outcome is a bool."""

    values: Row


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DeleteTasks:
    """Rows: id, version. Its outcome is the list of the ids that were deleted."""

    tasks: Sequence[Row]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DeleteKeys:
    """Deletes keys of tasks whose id sorts before `before`. Its outcome is the number of deleted keys."""

    before: str
    limit: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CheckWritable:
    """Rewrites something unchanged, to prove that the database can be written to. Its outcome is None."""


Write = Create | Commit | SaveCallback | ClaimCallback | DeleteTasks | DeleteKeys | CheckWritable


def newest_rows(commits: Iterable[Commit]) -> list[tuple[Row, int]]:
    """The newest row of each task, and the version that the store must hold for all of its commits to apply.

    Raises Conflict when the versions of one task's commits do not follow each other.
    """
    newest: dict[str, tuple[Row, int]] = {}
    for commit in commits:
        task_id, version = commit.task[0], commit.task[_VERSION]
        if known := newest.get(task_id):
            row, base = known
            if version != row[_VERSION] + 1:
                raise stale()
            newest[task_id] = commit.task, base
        else:
            newest[task_id] = commit.task, version - 1
    return list(newest.values())


def notified_tasks(commits: Iterable[Commit]) -> list[str]:
    """Ids of the tasks whose callbacks the commits make due."""
    return [event[0] for commit in commits for event in commit.events if event[2] in NOTIFIED_EVENTS]


def queued_tasks(
    creates: Iterable[Create], commits: Iterable[Commit], former_states: Mapping[str, str]
) -> list[tuple[str, str]]:
    """(id, principal) of the tasks that are queued after these writes and were not before, in their order.

    former_states   of the tasks that `commits` concern, before any of these writes
    """
    states, queued = dict(former_states), dict[str, str]()
    writes: list[Create | Commit] = [*creates, *commits]
    for write in writes:
        task_id, state = write.task[0], write.task[_STATE]
        if state != State.QUEUED:
            queued.pop(task_id, None)
        elif states.get(task_id) != State.QUEUED:
            queued[task_id] = write.task[_PRINCIPAL]
        states[task_id] = state
    return list(queued.items())


def check_digest(key: Row, stored: Row) -> str:
    """The id of the task that the stored key named. Raises IdempotencyKeyReused."""
    _, _, digest, task_id = stored
    if key[2] != digest:
        raise IdempotencyKeyReused("this idempotency key came with another body before: use a new key")
    return str(task_id)


def stale() -> Conflict:
    return Conflict("another writer has committed this task meanwhile; nothing was stored")
