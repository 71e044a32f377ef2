"""Fetches a repository into a bare clone."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
from dulwich.object_store import ObjectStoreGraphWalker
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo as GitRepo

from gencode.githosts.errors import GitTimeout
from gencode.githosts.fetch.bare_clone import MAX_PACKS, BareClone, CloneState
from gencode.githosts.fetch.errors import CloneStorage
from gencode.githosts.fetch.limits import FetchLimits, FetchProgress
from gencode.githosts.fetch.pack_check import CheckedPack, check_pack
from gencode.githosts.fetch.transport import Advertised, FetchTransport, Haves, Remote

T = TypeVar("T")
MAX_HEADS = 500
"""Branches that a server is told of; it needs few to know what is missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What a fetch brought.

    is_new   whether all was fetched, not what was missing only
    objects  that came
    """

    advertised: Advertised
    is_new: bool
    objects: int


class FetchClient:
    """Several fetches at a time, and one check."""

    def __init__(self, agent: str, limits: FetchLimits | None = None, *, max_fetches: int = 4) -> None:
        self._agent = agent
        self._limits = limits or FetchLimits()
        self._slots = anyio.Semaphore(max_fetches)
        self._checks = anyio.Semaphore(1)
        self._threads = anyio.CapacityLimiter(max_fetches)

    async def fetch(self, remote: Remote, clone: BareClone, progress: FetchProgress) -> Fetched:
        """Bring the clone to what the server has: one attempt. A clone is fetched by one caller at a time.

        Raises GitError, RepositoryTooLarge, CloneStorage. The clone is unchanged then, and after a
        cancellation.
        """
        async with self._slots:
            try:
                folder = await self._run(clone.begin)
                return await self._fetch(remote, clone, folder / "new.pack", progress)
            except OSError as error:
                raise CloneStorage(f"the disk does not take the clone: {error.strerror or error}") from error
            finally:
                with anyio.CancelScope(shield=True):
                    await self._run(clone.end)

    async def _fetch(self, remote: Remote, clone: BareClone, pack: Path, progress: FetchProgress) -> Fetched:
        is_new = await self._run(lambda: _begins_anew(clone, remote.known_as))
        advertised = await self._download(remote, clone, pack, progress, is_new=is_new)
        progress.is_checking = True
        checked = await self._check(clone, pack, advertised, is_new=is_new)
        state = CloneState(source=remote.known_as, refs=advertised.refs, head=advertised.head)
        await self._run(lambda: clone.add(state, pack if checked else None, is_new=is_new))
        return Fetched(advertised=advertised, is_new=is_new, objects=checked.objects if checked else 0)

    async def _download(
        self, remote: Remote, clone: BareClone, pack: Path, progress: FetchProgress, *, is_new: bool
    ) -> Advertised:
        transport = FetchTransport(remote, self._agent, self._limits, progress)

        def download() -> Advertised:
            with pack.open("wb") as file, _known(clone, is_new=is_new) as known:
                return transport.fetch_missing(known.has, known.haves(), file)

        seconds = self._limits.seconds
        try:
            with anyio.fail_after(seconds):
                return await self._run(download)
        except TimeoutError as error:
            raise GitTimeout(f"the download was not over after {seconds:g} s; try again later") from error

    async def _check(
        self, clone: BareClone, pack: Path, advertised: Advertised, *, is_new: bool
    ) -> CheckedPack | None:
        """None if nothing came."""
        if not await self._run(lambda: pack.stat().st_size):
            return None
        known = [] if is_new else clone.indexes()
        wanted = set(advertised.refs.values())
        async with self._checks:
            return await check_pack(pack, pack.with_suffix(".idx"), known, wanted, self._limits)

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(call, limiter=self._threads)
        except concurrent.futures.CancelledError:
            # Raised by a thread whose exchange was cancelled; raise the real cancellation.
            await anyio.lowlevel.checkpoint()
            raise


def _begins_anew(clone: BareClone, source: str) -> bool:
    """Whether nothing of the clone can be used."""
    return clone.source() != source or not clone.is_whole() or len(clone.indexes()) >= MAX_PACKS


class _Known:
    """What a clone has."""

    def __init__(self, repository: GitRepo | None) -> None:
        self._repository = repository

    def has(self, sha: bytes) -> bool:
        return self._repository is not None and ObjectID(sha) in self._repository.object_store

    def haves(self) -> Haves:
        if self._repository is None:
            return ObjectStoreGraphWalker([], lambda _: [])
        heads = list(self._repository.refs.as_dict(b"refs/heads").values())[:MAX_HEADS]  # type: ignore[arg-type]
        commits = [head for head in heads if isinstance(self._repository.object_store[head], Commit)]
        return self._repository.get_graph_walker(commits)


@contextmanager
def _known(clone: BareClone, *, is_new: bool) -> Iterator[_Known]:
    if is_new:
        yield _Known(None)
        return
    with clone.open() as repository:
        yield _Known(repository)
