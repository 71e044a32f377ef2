"""What `gencode migrate` does with a workspace: all its tables, and the index of its knowledge bases. Clones
of repositories stay folders, which a sync makes anew where they are missing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gencode.bootstrap.migration_part import Digests, MigrationPart, named
from gencode.bootstrap.workspace import KINDS
from gencode.retrieval.index_tables import INDEX_TABLES
from gencode.retrieval.postgres.index_import import INSERTS, SET_SEQUENCES, prepare_index, prepared_rows
from gencode.retrieval.sqlite.schema import prepare
from gencode.storage.data_dir_lock import RETRIEVAL_DATABASE, WORKSPACE_DATABASE
from gencode.storage.postgres.connection import place
from gencode.storage.postgres.table_import import Import
from gencode.storage.postgres.text_escaping import escape
from gencode.storage.sqlite.table_export import SQLiteTables, open_tables
from gencode.storage.table_copy import Report, pages
from gencode.workspace.database import existing_database, postgres_url, sqlite_url
from gencode.workspace.encrypted_resources import missing_keys
from gencode.workspace.encryption import Encryption
from gencode.workspace.table_copy import TABLES, WorkspaceTables, open_workspace_tables

__all__ = ["KINDS", "open_workspace_parts", "secrets_without_key"]
WORKSPACE, INDEX = "workspace.", "index."
"""Before the names of tables."""


@asynccontextmanager
async def open_workspace_parts(
    data_dir: Path, dsn: str, target: Import
) -> AsyncIterator[Sequence[MigrationPart]]:
    """The parts that the folder has. Raises StartError."""
    async with AsyncExitStack() as stack:
        parts: list[MigrationPart] = []
        if (file := data_dir / WORKSPACE_DATABASE).is_file():
            source = await stack.enter_async_context(open_workspace_tables(sqlite_url(data_dir), str(file)))
            await source.check_known()
            copied = open_workspace_tables(postgres_url(dsn), place(dsn))
            parts.append(WorkspaceMigration(source, await stack.enter_async_context(copied)))
        if (file := data_dir / RETRIEVAL_DATABASE).is_file():
            index = stack.enter_context(open_tables(file, INDEX_TABLES, prepare))
            await prepare_index(dsn)
            parts.append(IndexMigration(index, target))
        yield parts


async def secrets_without_key(dsn: str, keys: Sequence[bytes]) -> int:
    """How many stored secrets need another key. `keys`: those of ENCRYPTION_KEY. Raises StoreError."""
    async with existing_database(postgres_url(dsn)) as database:
        return sum((await missing_keys(database, Encryption(keys))).values())


class WorkspaceMigration(MigrationPart):
    def __init__(self, source: WorkspaceTables, target: WorkspaceTables) -> None:
        self._source = source
        self._target = target

    async def digests(self, report: Report) -> Digests:
        return await self._source.digests("read", named(report, WORKSPACE), WORKSPACE)

    async def check_empty(self) -> None:
        await self._target.check_empty()

    async def copy(self, expected: Digests, report: Report) -> None:
        for table in TABLES:
            name = f"{WORKSPACE}{table.name}"
            done = await self._target.count(table)
            async for page in self._source.pages(table, done):
                await self._target.put(table, page)
                done += len(page)
                report("copied", name, done, expected[name].rows)
        await self._target.set_sequences()

    async def copied_digests(self, report: Report) -> Digests:
        return await self._target.digests("verified", named(report, WORKSPACE), WORKSPACE)


class IndexMigration(MigrationPart):
    def __init__(self, source: SQLiteTables, target: Import) -> None:
        self._source = source
        self._target = target

    async def digests(self, report: Report) -> Digests:
        found = self._source.digests(escape, named(report, INDEX))
        return {f"{INDEX}{name}": digest for name, digest in found.items()}

    async def check_empty(self) -> None:
        await self._target.check_empty(INDEX_TABLES, "knowledge bases")

    async def copy(self, expected: Digests, report: Report) -> None:
        for table in INDEX_TABLES:
            name = f"{INDEX}{table.name}"
            done = await self._target.count(table)
            for page in pages(self._source.rows(table, done)):
                await self._target.put(INSERTS[table.name], prepared_rows(table, page))
                done += len(page)
                report("copied", name, done, expected[name].rows)
        for statement in SET_SEQUENCES:
            await self._target.run(statement)

    async def copied_digests(self, report: Report) -> Digests:
        told = named(report, INDEX)
        return {f"{INDEX}{table.name}": await self._target.digest(table, told) for table in INDEX_TABLES}
