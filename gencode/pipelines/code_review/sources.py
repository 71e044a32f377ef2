"""Where the diff of a review comes from: a patch, two commits of a repository, or a code diff."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import anyio.to_thread
from dulwich.objects import ObjectID
from dulwich.repo import Repo

from gencode.diffs import (
    Diff,
    DiffError,
    FileDiff,
    FileKind,
    PatchLimits,
    diff_commits,
    merge_base,
    parse_patch,
)
from gencode.domain.errors import Invalid
from gencode.githosts.fetch.limits import FetchProgress
from gencode.pipelines.code_review.artifacts import ReviewInput
from gencode.pipelines.code_review.stored_diff import ReviewedDiff
from gencode.workspace.code_diffs.store import CodeDiffs
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.sync import RepositorySync

PATCH_LIMITS = PatchLimits(max_bytes=5 * 2**20, max_files=3000, max_hunks=20_000, max_lines=300_000)
MAX_BLOB, MAX_BLOBS = 200_000, 4 * 2**20
"""Bytes of a new file that is kept for its context and for suggestions, and of all of them."""


class DiffSource:
    def __init__(self, clones: RepositoryClones, sync: RepositorySync, diffs: CodeDiffs) -> None:
        self._diffs = diffs
        self._clones = clones
        self._sync = sync

    async def __call__(self, given: ReviewInput) -> ReviewedDiff:
        """Raises Invalid, NotFound, DiffNotReady, DiffError, and the errors of RepositorySync.ensure."""
        if given.request.get("repository_id"):
            return await self._of_repository(given)
        if given.request.get("code_diff_id"):
            return await self._of_code_diff(str(given.request["code_diff_id"]), given.run.principal)
        return await anyio.to_thread.run_sync(patch_of, given.request)

    async def _of_code_diff(self, row_id: str, principal: str) -> ReviewedDiff:
        """Raises NotFound, DiffNotReady."""
        row = await self._diffs.completed(row_id, principal)
        files = [(stored.file, stored.commit) async for stored in self._diffs.all_files(row.id)]
        return ReviewedDiff.of_files(files, row.base_commit or "", row.source_commit or "")

    async def _of_repository(self, given: ReviewInput) -> ReviewedDiff:
        row_id, run = str(given.request["repository_id"]), given.run
        base, head = str(given.request["base"]), str(given.request["head"])
        await self._sync.ensure(row_id, run.principal, run.task, FetchProgress(), refs=(base, head))
        async with self._clones.open(row_id, run.principal) as clone:
            base, head = await clone.call(clone.resolve, base), await clone.call(clone.resolve, head)
            return await clone.call(_between, clone.repository, base, head)


def patch_of(request: Mapping[str, Any]) -> ReviewedDiff:
    """The diff of a request's `patch`. Takes up to a second. Raises Invalid."""
    try:
        return ReviewedDiff.of_patch(parse_patch(_patch_bytes(request), PATCH_LIMITS))
    except DiffError as error:
        raise Invalid.of("patch", "patch", error.message) from None


def _patch_bytes(request: Mapping[str, Any]) -> bytes:
    if request.get("patch_encoding") != "base64":
        return str(request["patch"]).encode()
    try:
        return base64.b64decode(str(request["patch"]), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.of("patch", "base64", "is not base64, as patch_encoding says") from None


def _between(repository: Repo, base: str, head: str) -> ReviewedDiff:
    """From where `head` left `base`; without a common commit, from `base`."""
    begin = merge_base(repository, base, head) or base
    diff = diff_commits(repository, begin, head)
    blobs = _blobs(repository, diff)
    return ReviewedDiff(diff=diff, commits=[""] * len(diff.files), blobs=blobs, base=begin, head=head)


def _blobs(repository: Repo, diff: Diff) -> dict[int, bytes]:
    """The new versions of text files, as long as they are short."""
    found: dict[int, bytes] = {}
    left = MAX_BLOBS
    for number, file in enumerate(diff.files):
        content = _blob(repository, file)
        if content is not None and len(content) <= left:
            found[number] = content
            left -= len(content)
    return found


def _blob(repository: Repo, file: FileDiff) -> bytes | None:
    if file.new_path is None or file.kind is not FileKind.TEXT or not file.hunks or not file.new_id:
        return None
    content: bytes = repository.object_store[ObjectID(file.new_id.encode())].as_raw_string()
    return content if len(content) <= MAX_BLOB else None
