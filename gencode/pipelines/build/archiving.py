"""The stage `archiving`: the files as one archive and one commit, whose ids depend on nothing else."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import anyio.to_thread

from gencode.certification import unverified
from gencode.domain.tree import MAX_RENDERED_FILES, Tree
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.engine.ports.store import Store
from gencode.githosts.commit import commit_objects
from gencode.githosts.port import Snapshot
from gencode.pipelines.build.artifacts import Archived, ArchiveFacts, Built
from gencode.pipelines.build.changes import changes_since
from gencode.pipelines.build.names import ARCHIVED, QA
from gencode.pipelines.build.qa_report import NOT_YET, qa_result, report_of
from gencode.workspace.builds.removal import project_of_scope
from gencode.workspace.builds.storage import BuildStorage

COMMITTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""The dates of every commit of a build: with the time of the task, two builds of the same blueprint would be
two commits."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Archiving:
    """`author`: of the commit. `store`: has the earlier build that this one is compared with."""

    def __init__(self, author: str, store: Store, storage: BuildStorage) -> None:
        self._author = author
        self._store = store
        self._storage = storage

    async def __call__(self, work: Built | Archived, emit: Emit) -> Archived:
        """Raises UnsafePath, UnsafeTree, PlanLimitReached."""
        if isinstance(work, Archived):
            return work
        facts = await anyio.to_thread.run_sync(facts_of, work, self._author)
        given = work.given
        await self._storage.count(given.run.task_id, project_of_scope(given.scope), facts.bytes)
        report = report_of(work, unverified(NOT_YET))
        told = archive_update(facts)
        checkpoints = {**told.checkpoints, QA: report.model_dump_json()}
        updates = [replace(told, checkpoints=checkpoints, result={**told.result, **qa_result(report)})]
        if changes := await changes_since(self._store, work):
            updates.append(StageUpdate(kind="changes", data=changes, result={"changes": changes}))
        await emit(*updates)
        return Archived(built=work, facts=facts)


def archive_update(facts: ArchiveFacts) -> StageUpdate:
    result = {
        "file_count": facts.file_count,
        "commit": facts.commit,
        "tree": facts.tree,
        "checksum": facts.checksum,
        "archive_sha256": facts.sha256,
        "archive_bytes": facts.bytes,
    }
    return StageUpdate(
        kind="archived",
        data=facts.model_dump(mode="json"),
        checkpoints={ARCHIVED: facts.model_dump_json()},
        result=result,
    )


def facts_of(work: Built, author: str) -> ArchiveFacts:
    """Hashes every file: call it in a thread."""
    objects = commit_objects(snapshot_of(work, author))
    commit, data = objects.sha.decode(), archive(work.files, work.given.project_name)
    of = "\n".join((work.given.digest, work.rendered.templates, commit))
    return ArchiveFacts(
        file_count=len(work.files),
        commit=commit,
        tree=objects.all[-1].id.decode(),
        checksum=hashlib.sha256(of.encode()).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
    )


def snapshot_of(work: Built, author: str) -> Snapshot:
    """The commit: the same blueprint, stack, holes and author make the same one. Raises UnsafePath,
    UnsafeTree."""
    given = work.given
    files = {path: text.encode() for path, text in work.files.items()}
    return Snapshot(
        tree=Tree.of(files, most=MAX_RENDERED_FILES),
        message=f"{given.project_name}: built by gencode\n\nBlueprint: {given.digest}\n",
        author=author,
        at=COMMITTED_AT,
    )


def archive(files: Mapping[str, str], folder: str) -> bytes:
    """A zip of files below `folder`. Equal arguments make equal bytes, whatever compresses elsewhere: the
    files are stored as they are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{path}", _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # Unix; a regular file
            target.writestr(entry, files[path].encode())
    return packed.getvalue()
