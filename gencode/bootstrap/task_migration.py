"""What `gencode migrate` does with tasks: they are copied with all that belongs to them, and unfinished ones
get their jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gencode.bootstrap.migration_part import Digests, MigrationPart
from gencode.domain.task import State
from gencode.http.kind_dependencies import KindFactory
from gencode.queue.procrastinate.job_writer import JobWriter
from gencode.storage.postgres.table_import import Import
from gencode.storage.postgres.text_escaping import escape
from gencode.storage.rows import TASK_COLUMNS, Row
from gencode.storage.sqlite.table_export import SQLiteTables
from gencode.storage.table_copy import TABLES, Report, Table, pages


class TaskMigration(MigrationPart):
    """`kinds`: tasks of other kinds belong to a newer version, and are not queued."""

    def __init__(
        self, source: SQLiteTables, target: Import, write_jobs: JobWriter, kinds: Sequence[KindFactory]
    ) -> None:
        self._source = source
        self._stages = {one.kind.name: frozenset({"", *one.kind.stage_titles}) for one in kinds}
        self._target = target
        self._write_jobs = write_jobs

    async def digests(self, report: Report) -> Digests:
        return self._source.digests(escape, report)

    async def check_empty(self) -> None:
        await self._target.check_empty(TABLES, "tasks")

    async def copy(self, expected: Digests, report: Report) -> None:
        for table in TABLES:
            await self._copy(table, expected[table.name].rows, report)

    async def copied_digests(self, report: Report) -> Digests:
        return {table.name: await self._target.digest(table, report) for table in TABLES}

    def count_queued(self) -> int:
        """Tasks that workers will continue."""
        return sum(self._is_queued(row) for row in self._source.rows(TABLES[-1]))

    async def _copy(self, table: Table, total: int, report: Report) -> None:
        done = await self._target.count(table)
        for page in pages(self._source.rows(table, done)):
            queued = self._queued(page) if table.name == "tasks" else ()
            await self._target.put_tasks(table, page, queued, self._write_jobs)
            done += len(page)
            report("copied", table.name, done, total)

    def _queued(self, tasks: Sequence[Row]) -> list[tuple[str, str]]:
        """Id and principal of the tasks that workers will continue."""
        found = (_by_column(row) for row in tasks if self._is_queued(row))
        return [(task["id"], task["principal"]) for task in found]

    def _is_queued(self, row: Row) -> bool:
        task = _by_column(row)
        is_known = task["stage"] in self._stages.get(task["kind"], ())
        return is_known and task["state"] in (State.QUEUED, State.RUNNING)


def _by_column(row: Row) -> dict[str, Any]:
    return dict(zip(TASK_COLUMNS, row, strict=True))
