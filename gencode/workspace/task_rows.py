"""Rows that say how their task goes: code diffs, documents, syncs, answers of conversations.

A stage writes into its row while it runs. A task that ends otherwise runs no stage any more: it was cancelled
in the queue, its process was killed too often or between its last commit and the row, it was deleted. So the
rows that are still open are compared with their tasks before they are read (`settle`).

Each write names the commit of the task that it comes from (`TaskVersion`), and changes nothing in a row that
knows a later one. So a reader that saw the task fail, and is slower than its retry, does not end the row of
the task that runs again; nor does a worker that was displaced.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, false, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.task import State, Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.workspace.database import Database
from gencode.workspace.tables import Base, now
from gencode.workspace.task_failures import CANCELLED

AT_ONCE = 50
"""Tasks that one reader looks up at most."""
SUBMISSION = timedelta(minutes=1)
"""The longest between a row and its task: later, the process has ended in between."""
NO_TASK = "NOT_FOUND"
_NO_TASK = "no task works on it, or it is not stored any more: begin it again"
_CANCELLED = "its task was cancelled: begin it again"
_NO_RESULT = "its task is over without a result: begin it again"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskVersion:
    """A commit of a task. `version`: of Task; 0 when it is accepted."""

    id: str
    version: int

    @classmethod
    def of(cls, task: Task) -> TaskVersion:
        return cls(id=task.id, version=task.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskEnd:
    """of: None, the task is not stored (any more)"""

    of: TaskVersion | None
    code: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRows:
    """The columns of a table that say how a task goes.

    task, version  of the last commit of a task that has changed the row
    status         one of `open` while the task is not over; `failed` is set when it ends without a result
    code, text     why
    owned          the rows of a principal
    is_made_for_task  an open row without a task has lost it
    more           further values of a row that has failed
    after          called in the transaction that has changed rows of a task, with the task's id
    """

    table: type[Base]
    open: Sequence[str]
    failed: str
    owned: Callable[[str], ColumnElement[bool]]
    is_made_for_task: bool = True
    task: str = "task_id"
    version: str = "task_version"
    status: str = "status"
    code: str = "error_code"
    text: str = "error"
    more: Callable[[], Mapping[str, Any]] = dict
    after: Callable[[AsyncSession, str], Awaitable[None]] | None = None

    def column(self, name: str) -> Column[Any]:
        found: Column[Any] = getattr(self.table, getattr(self, name))
        return found

    def at(self, task: TaskVersion) -> Mapping[str, Any]:
        """Values that a write sets."""
        return {self.task: task.id, self.version: task.version}

    def lost(self, before: datetime) -> ColumnElement[bool]:
        """Rows whose process ended before it stored their task, which was before this one began: a request
        that is repeated takes its row, so that it makes no second one."""
        is_open, created = self.column("status").in_(self.open), self.table.__table__.c.created_at
        return and_(self.column("task").is_(None), is_open, created < before)

    def may_be_assigned(self, task_id: str) -> ColumnElement[bool]:
        """The condition of a write which says that the task is accepted: unless it, or a newer one, has begun
        meanwhile. Ids of tasks grow with time."""
        return or_(self.column("task").is_(None), self.column("task") < task_id)

    def may_begin(self, task: TaskVersion) -> ColumnElement[bool]:
        """The condition of a write with which the row becomes this task's."""
        other = self.column("task").is_distinct_from(task.id)
        return or_(other, self.column("version") <= task.version)

    def may_go_on(self, task: TaskVersion) -> ColumnElement[bool]:
        """The condition of further writes of the same task."""
        return and_(self.column("task") == task.id, self.column("version") <= task.version)

    async def settle(self, database: Database, tasks: Store, scope: ColumnElement[bool]) -> None:
        """Ends the open rows of `scope` whose tasks are over."""
        is_open = (self.column("status").in_(self.open), scope)
        task, created = self.column("task"), self.table.__table__.c.created_at
        is_late = created < now() - SUBMISSION if self.is_made_for_task else false()
        was_submitted = or_(task.is_not(None), is_late)
        async with database.transaction() as session:
            query = select(task).where(*is_open, was_submitted).distinct().limit(AT_ONCE)
            ids = (await session.scalars(query)).all()
        for task_id in ids:
            if end := await end_of(tasks, task_id):
                async with database.transaction() as session:
                    await self._end(session, task_id, end, *is_open, was_submitted)

    async def _end(
        self, session: AsyncSession, task_id: str | None, end: TaskEnd, *conditions: ColumnElement[bool]
    ) -> None:
        of_task = self.may_go_on(end.of) if end.of else self.column("task").is_not_distinct_from(task_id)
        values = {self.status: self.failed, self.code: end.code, self.text: end.text[:2000], **self.more()}
        if end.of:
            values[self.version] = end.of.version
        changed = update(self.table).where(of_task, *conditions).values(values)
        done: Any = await session.execute(changed.execution_options(synchronize_session=False))
        if done.rowcount and self.after:
            await self.after(session, task_id or "")


async def end_of(tasks: Store, task_id: str | None) -> TaskEnd | None:
    """How a task has ended; None while it goes on."""
    found = await tasks.find(TaskQuery(id=task_id, limit=1)) if task_id else []
    if not found:
        return TaskEnd(of=None, code=NO_TASK, text=_NO_TASK)
    task = found[0]
    if not task.state.is_terminal:
        return None
    code, text = CANCELLED, _CANCELLED
    if task.failure:
        code, text = task.failure.code, task.failure.message
    elif task.state is State.SUCCEEDED:
        code, text = "INTERNAL", _NO_RESULT
    return TaskEnd(of=TaskVersion.of(task), code=code, text=text)
