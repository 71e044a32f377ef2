"""A repository in place of a document: its files become documents of the base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gencode.domain.errors import NotFound
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.fetch.limits import FetchProgress
from gencode.pipelines.index.repository_files import CollectedFiles, collect
from gencode.pipelines.index.work import IndexWork
from gencode.workspace.knowledge_bases.errors import DocumentDeleted
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.repository_documents import RepositoryVersion
from gencode.workspace.repositories.clone import Clone
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.errors import RefUnknown
from gencode.workspace.repositories.sync import RepositorySync

COMMIT = "commit"
"""The checkpoint, and the field of the result, of the commit whose files are indexed."""
BATCH = 100
"""Files that are stored in one transaction."""
MAX_TOLD = 200
"""Excluded files that the event names."""


class RepositoryReading:
    """A repetition reads the same commit, and adds only what is missing."""

    def __init__(self, knowledge: KnowledgeBases, sync: RepositorySync, clones: RepositoryClones) -> None:
        self._knowledge = knowledge
        self._sync = sync
        self._clones = clones

    async def __call__(self, work: IndexWork, emit: Emit) -> IndexWork:
        """Raises DocumentDeleted, KnowledgeBaseFull, and the errors of RepositorySync.ensure."""
        repository_id = work.repository_id or ""
        refs = [ref for ref in (work.commit or work.ref,) if ref]
        await self._sync.ensure(repository_id, work.principal, work.task, FetchProgress(), refs=refs)
        async with self._clones.open(repository_id, work.principal) as clone:
            commit = work.commit or await clone.call(_commit, clone, work.ref)
            await emit(StageUpdate(checkpoints={COMMIT: f'"{commit}"'}, result={COMMIT: commit}))
            found = await clone.call(collect, clone, commit)
        work = work.at(commit)
        elsewhere = await self._add(work.version, found)
        await emit(_told(work, found, elsewhere))
        return work

    async def _add(self, version: RepositoryVersion, found: CollectedFiles) -> Sequence[str]:
        elsewhere: list[str] = []
        try:
            for start in range(0, len(found.files), BATCH):
                files = found.files[start : start + BATCH]
                elsewhere += await self._knowledge.repository_documents.add(version, files)
        except NotFound:
            raise DocumentDeleted("the knowledge base was deleted meanwhile") from None
        return elsewhere


def _commit(clone: Clone, ref: str | None) -> str:
    chosen = ref or clone.default_branch()
    if chosen is None:
        raise RefUnknown("the repository has no default branch: name a ref")
    return clone.resolve(chosen)


def _told(work: IndexWork, found: CollectedFiles, elsewhere: Sequence[str]) -> StageUpdate:
    excluded = [*found.excluded, *((path, "same_content") for path in elsewhere)]
    counts = dict(Counter(reason for _, reason in excluded))
    named = [{"path": path, "reason": reason} for path, reason in excluded[:MAX_TOLD]]
    files = len(found.files) - len(elsewhere)
    data = {"commit": work.commit, "files": files, "excluded": named, "excluded_counts": counts}
    result = {"file_count": files, "excluded_counts": counts}
    return StageUpdate(kind="repository_read", data=data, result=result)
