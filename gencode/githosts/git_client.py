"""A Git client over smart HTTP: pushes a snapshot in one attempt within a deadline, and reads refs."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Sequence
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
from dulwich.refs import Ref

from gencode.githosts.commit import CommitObjects, commit_objects
from gencode.githosts.errors import GitAuth, GitError, GitNotFound, GitTimeout, NonFastForward
from gencode.githosts.http_client import http_client
from gencode.githosts.port import Snapshot
from gencode.githosts.smart_http import DEFAULT_USER, SmartHttpClient
from gencode.outbound.transport import Outbound
from gencode.resilience.retry import Sleep

T = TypeVar("T")

CHECK_SECONDS = 10.0  # for reading the ref again after a push of unknown outcome
READY_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds. A new repository and its permissions can reach the Git server later than the API."""


class GitClient:
    """Pushes snapshots over smart HTTP.

    timeout     seconds for one push; reading the ref again after a lost response may add CHECK_SECONDS
    max_pushes  pushes at a time, each in a thread of its own; the wait for one of them does not count
                towards the timeout
    pauses      seconds between readings of the refs while they are answered with 401, 403 or 404. Reading
                changes nothing, so that it may be repeated; a push that was sent is not
    """

    def __init__(
        self,
        *,
        timeout: float = 60.0,
        max_pushes: int = 4,
        agent: str = "gencode",
        outbound: Outbound | None = None,
        pauses: Sequence[float] = READY_PAUSES,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._timeout = timeout
        self._agent = agent
        self._outbound = outbound or Outbound()
        self._pauses = pauses
        self._sleep = sleep
        self._slots = anyio.Semaphore(max_pushes)
        self._threads = anyio.CapacityLimiter(max_pushes)

    async def push(self, url: str, token: str, snapshot: Snapshot, *, user: str = DEFAULT_USER) -> str:
        """Make the snapshot the head of its branch, without force. Returns the commit's SHA; raises GitError.

        url    `https://host/owner/name.git`, without credentials; the token is sent to no other host
        user   the user whose password the token is; some hosts recognise tokens by it
        """
        ref = Ref(b"refs/heads/" + snapshot.branch.encode())
        async with self._slots, http_client(self._outbound) as client:
            objects = await anyio.to_thread.run_sync(commit_objects, snapshot, limiter=self._threads)
            remote = SmartHttpClient(url, token, client, self._agent, self._timeout, user)
            try:
                await self._until_ready(remote, lambda: remote.push(ref, objects))
            except GitError as error:
                if not remote.push_sent:
                    raise
                fresh = SmartHttpClient(url, token, client, self._agent, CHECK_SECONDS, user)
                await self._check_ref(fresh, ref, objects, error)
        return objects.sha.decode("ascii")

    async def refs(self, url: str, token: str, *, user: str = DEFAULT_USER) -> dict[str, str]:
        """Every branch and tag with its SHA. Raises GitError."""
        async with self._slots, http_client(self._outbound) as client:
            remote = SmartHttpClient(url, token, client, self._agent, self._timeout, user)
            refs = await self._until_ready(remote, remote.refs)
        return {name.decode("utf-8", "replace"): sha.decode("ascii") for name, sha in refs.items()}

    async def _until_ready(self, remote: SmartHttpClient, call: Callable[[], T]) -> T:
        """The result of the call, which reads the refs first; it is repeated while that is refused."""
        for pause in self._pauses:
            try:
                return await self._run(call, self._timeout)
            except (GitAuth, GitNotFound):
                if remote.push_sent:
                    raise
            await self._sleep(pause)
        return await self._run(call, self._timeout)

    async def _check_ref(
        self, remote: SmartHttpClient, ref: Ref, objects: CommitObjects, error: GitError
    ) -> None:
        """Read the ref once after a push that was sent and did not report success. Returns if the ref is at
        our commit; otherwise raises `error`, or NonFastForward if another commit is there."""
        try:
            refs = await self._run(remote.refs, min(CHECK_SECONDS, self._timeout))
        except GitError:
            raise error from None
        head = refs.get(ref)
        if head == objects.sha:
            return
        if head != objects.replaces:
            raise NonFastForward("somebody else pushed to the branch; choose another repo_name") from error
        raise error

    async def _run(self, call: Callable[[], T], seconds: float) -> T:
        try:
            with anyio.fail_after(seconds):
                return await self._in_thread(call)
        except TimeoutError as error:
            raise GitTimeout(f"the push was not over after {seconds:g} s; try again later") from error

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(call, limiter=self._threads)
        except concurrent.futures.CancelledError:
            # Raised by a worker thread whose exchange was cancelled; raise the real cancellation.
            await anyio.lowlevel.checkpoint()
            raise
