"""The push of one snapshot: one attempt, within a deadline, and its outcome made certain."""

from __future__ import annotations

import concurrent.futures
import ssl
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
from dulwich.refs import Ref

from gencode.githosts.commit import Objects, objects
from gencode.githosts.errors import GitError, GitTimeout, NonFastForward
from gencode.githosts.http_client import http_client
from gencode.githosts.port import Snapshot
from gencode.githosts.smart_http import Remote

T = TypeVar("T")

USER = "x-access-token"
CHECK_SECONDS = 10.0  # to look at the ref once more after a push of unknown outcome


class GitClient:
    """Pushes snapshots over smart HTTP.

    timeout  seconds for one push; reading the ref again after a lost reply may add CHECK_SECONDS
    places   pushes at a time, each with a thread of its own; others wait their turn (not charged to them)
    """

    def __init__(
        self,
        *,
        timeout: float = 60.0,
        places: int = 4,
        agent: str = "gencode",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = timeout
        self._agent = agent
        self._tls = tls or httpx.create_ssl_context()
        self._places = anyio.Semaphore(places)
        self._threads = anyio.CapacityLimiter(places)

    async def push(self, url: str, token: str, snapshot: Snapshot, *, user: str = USER) -> str:
        """Make the snapshot the head of its branch, never by force; the commit's SHA. Raises GitError.

        url    `https://host/owner/name.git`, without credentials; the token is sent to no other host
        user   whose password the token is to be, for hosts that tell tokens from passwords by it
        """
        ref = Ref(b"refs/heads/" + snapshot.branch.encode())
        async with self._places, http_client(self._tls) as client:
            new = await anyio.to_thread.run_sync(objects, snapshot, limiter=self._threads)
            remote = Remote(url, token, client, self._agent, self._timeout, user)
            try:
                await self._within(self._timeout, lambda: remote.push(ref, new))
            except GitError as error:
                if not remote.sent:
                    raise
                again = Remote(url, token, client, self._agent, CHECK_SECONDS, user)
                await self._settle(again, ref, new, error)
        return new.sha.decode("ascii")

    async def refs(self, url: str, token: str, *, user: str = USER) -> dict[str, str]:
        """Every branch and tag with its SHA. Raises GitError."""
        async with self._places, http_client(self._tls) as client:
            remote = Remote(url, token, client, self._agent, self._timeout, user)
            found = await self._within(self._timeout, remote.refs)
        return {name.decode("utf-8", "replace"): sha.decode("ascii") for name, sha in found.items()}

    async def _settle(self, remote: Remote, ref: Ref, new: Objects, error: GitError) -> None:
        """The push was sent and did not report success: see once whether the ref is ours."""
        try:
            refs = await self._within(min(CHECK_SECONDS, self._timeout), remote.refs)
        except GitError:
            raise error from None
        there = refs.get(ref)
        if there == new.sha:
            return
        if there is not None:
            raise NonFastForward("somebody else pushed to the branch; choose another repo_name") from error
        raise error

    async def _within(self, seconds: float, call: Callable[[], T]) -> T:
        try:
            with anyio.fail_after(seconds):
                return await self._in_thread(call)
        except TimeoutError as error:
            raise GitTimeout(f"the push was not over after {seconds:g} s; try again later") from error

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(call, limiter=self._threads)
        except concurrent.futures.CancelledError:
            # How a worker thread reports that its exchange was cancelled; raise the real cancellation.
            await anyio.lowlevel.checkpoint()
            raise
