"""Opens the index of knowledge bases: a file of DATA_DIR, or tables of the cluster's database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from gencode.bootstrap.backend import Backend
from gencode.bootstrap.extra_imports import cluster_module
from gencode.retrieval.port import RetrievalIndex
from gencode.retrieval.sqlite.index import open_sqlite_index
from gencode.settings import Settings
from gencode.storage.data_dir_lock import RETRIEVAL_DATABASE
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.workspace import Workspace


@asynccontextmanager
async def open_knowledge(
    workspace: Workspace, settings: Settings, backend: Backend
) -> AsyncIterator[KnowledgeBases]:
    """Raises StartError."""
    async with _index(settings) as index:
        knowledge = KnowledgeBases(workspace=workspace, index=index, locks=backend.locks)
        await knowledge.remove_pending()
        yield knowledge


def _index(settings: Settings) -> AbstractAsyncContextManager[RetrievalIndex]:
    if dsn := settings.database_url.get_secret_value():
        postgres = cluster_module("gencode.retrieval.postgres.index")
        opened: AbstractAsyncContextManager[RetrievalIndex] = postgres.open_postgres_index(dsn)
        return opened
    return open_sqlite_index(settings.data_dir / RETRIEVAL_DATABASE)
