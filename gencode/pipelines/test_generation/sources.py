"""The files and changes of a task that names a repository or a code diff: read once, and stored with the
task."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice

import anyio.to_thread
from dulwich.errors import NotTreeError
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, ObjectID
from dulwich.repo import Repo
from pydantic import BaseModel, ConfigDict

from gencode.diffs import Diff, diff_commits, merge_base, path_text
from gencode.diffs.tree_diff import tree_of
from gencode.domain.errors import NotFound, UnsafePath
from gencode.domain.path_rules import check_path
from gencode.githosts.fetch.limits import FetchProgress
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.test_generation.artifacts import Given
from gencode.pipelines.test_generation.changes import ChangedFile, changes_of
from gencode.pipelines.test_generation.frameworks import is_test_file
from gencode.pipelines.test_generation.selection import MAX_CHARACTERS, MAX_FILE, file_of, needed
from gencode.workspace.code_diffs.errors import DiffUnusable
from gencode.workspace.code_diffs.store import CodeDiffs
from gencode.workspace.repositories.clone import Clone
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.sync import RepositorySync

MAX_PATHS = 50_000
"""Of a tree; of a larger one, the first are known."""
MAX_TAKEN = 10_000


class Sources(BaseModel):
    """What is stored.

    changes                by path
    repository_id, commit  where the files are from; "" if the request has sent them
    taken                  test files of the commit that are not among the files
    """

    model_config = ConfigDict(frozen=True)

    files: dict[str, str]
    changes: dict[str, ChangedFile]
    repository_id: str = ""
    commit: str = ""
    taken: tuple[str, ...] = ()

    def within(self, given: Given) -> Given:
        """The request with what was read."""
        delivery = given.delivery
        if delivery:
            delivery = replace(delivery, repository_id=self.repository_id, commit=self.commit)
        return replace(given, files=self.files, changes=self.changes, taken=self.taken, delivery=delivery)


class StoredSource:
    """Reads what a request names: two refs of a repository, or a code diff."""

    def __init__(self, clones: RepositoryClones, sync: RepositorySync, diffs: CodeDiffs) -> None:
        self._clones = clones
        self._sync = sync
        self._diffs = diffs

    async def __call__(self, run: ModelRun, given: Given) -> Sources:
        """Raises DiffUnusable, DiffNotReady, the errors of RepositorySync.ensure, DiffError."""
        if given.code_diff_id is not None:
            return await self._of_code_diff(run, given, given.code_diff_id)
        if given.place is None:
            raise ValueError("the request has its own files")
        place = given.place
        refs = (place.base, place.head)
        async with self._clone(run, place.repository_id, refs) as clone:
            base, head = [await clone.call(clone.resolve, ref) for ref in refs]
            found = await clone.call(_between, clone.repository, base, head, given.functions)
        return found.model_copy(update={"repository_id": place.repository_id})

    async def _of_code_diff(self, run: ModelRun, given: Given, row_id: str) -> Sources:
        try:
            row = await self._diffs.completed(row_id, run.principal)
            diff = await self._diffs.diff(row.id, run.principal)
        except NotFound:
            raise DiffUnusable("the code diff was deleted meanwhile") from None
        if row.repository_id is None:
            return await anyio.to_thread.run_sync(_of_files, diff, given.files)
        commit = row.source_commit or ""
        async with self._clone(run, row.repository_id, (commit,)) as clone:
            found = await clone.call(_at, clone.repository, commit, diff, given.functions)
        return found.model_copy(update={"repository_id": row.repository_id})

    @asynccontextmanager
    async def _clone(self, run: ModelRun, repository_id: str, refs: Sequence[str]) -> AsyncIterator[Clone]:
        await self._sync.ensure(repository_id, run.principal, run.task, FetchProgress(), refs=refs)
        async with self._clones.open(repository_id, run.principal) as clone:
            yield clone


def _between(repository: Repo, base: str, head: str, functions: Sequence[str]) -> Sources:
    """From where `head` left `base`; without a common commit, from `base`."""
    return _at(
        repository,
        head,
        diff_commits(repository, merge_base(repository, base, head) or base, head),
        functions,
    )


def _at(repository: Repo, commit: str, diff: Diff, functions: Sequence[str]) -> Sources:
    """The files of a commit, to which the changes lead."""
    blobs = dict(_blobs(repository, commit))
    changed = [file.path for file in diff.files if file.path in blobs]
    named = [path for path in map(file_of, functions) if path in blobs]
    files = dict(_texts(repository, needed([*changed, *named], list(blobs)), blobs))
    taken = tuple(path for path in blobs if is_test_file(path) and path not in files)[:MAX_TAKEN]
    return Sources(files=files, changes=changes_of(diff, files), commit=commit, taken=taken)


def _of_files(diff: Diff, files: Mapping[str, str]) -> Sources:
    """Of an uploaded patch."""
    return Sources(files=dict(files), changes=changes_of(diff, files))


def _blobs(repository: Repo, commit: str) -> Iterator[tuple[str, ObjectID]]:
    """The regular files of a commit, whose paths are safe."""
    store = repository.object_store
    try:
        for entry in islice(iter_tree_contents(store, tree_of(store, commit)), MAX_PATHS):
            path = path_text(entry.path or b"")
            if ((entry.mode or 0) & 0o170000) == 0o100000 and _is_safe(path):
                yield path, ObjectID(entry.sha or b"")
    except (KeyError, NotTreeError):
        return


def _is_safe(path: str) -> bool:
    try:
        check_path(path, workflows=True)
    except UnsafePath:
        return False
    return True


def _texts(repository: Repo, paths: Sequence[str], blobs: dict[str, ObjectID]) -> Iterator[tuple[str, str]]:
    """Text files, as far as there is room."""
    room = MAX_CHARACTERS
    for path in paths:
        found = repository.object_store[blobs[path]] if path in blobs else None
        if not isinstance(found, Blob) or len(found.data) > MAX_FILE:
            continue
        try:
            text = found.data.decode()
        except UnicodeDecodeError:
            continue
        if len(text) <= room:
            room -= len(text)
            yield path, text
