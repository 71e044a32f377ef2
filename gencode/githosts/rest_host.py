"""A Git host with a REST API: a repository of our own, and the push. The story is the same at each."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import anyio.to_thread
import httpx
import structlog
from pydantic import ValidationError

from gencode.domain.errors import Transient
from gencode.githosts.adapter import CreateRepository, FoundRepository, HostAdapter, credentials
from gencode.githosts.commit import sha
from gencode.githosts.errors import (
    GitAuth,
    GitError,
    GitProtocol,
    HostError,
    HostForbidden,
    HostNetwork,
    HostProtocol,
    HostUnavailable,
    RepoExists,
)
from gencode.githosts.git_client import GitClient
from gencode.githosts.origins import Origin
from gencode.githosts.ownership_marker import described, tag
from gencode.githosts.port import Repository, RepositorySpec, Snapshot
from gencode.githosts.profile import HostProfile
from gencode.githosts.responses import said
from gencode.githosts.rest_api import ApiResponse, RestApi
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry, Sleep
from gencode.security.redaction import quoted

log = structlog.get_logger(__name__)

READY_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds: a new repository can answer 404 for some time


class RestGitHost:
    """Implements `gencode.githosts.port.Host`. Raises StartError for a token that cannot work.

    api_url       where the API's paths begin
    web           where its repositories are: the token follows their addresses nowhere else
    client        made by `gencode.githosts.http_client.http_client`: it must ignore the environment's proxies
    owner         the account for requests that name none; None means the token's own user
    push_timeout  seconds for one push
    spacing       seconds between two creations; 0 only for a server of our own
    sleep, clock  replaced by tests; the clock counts seconds since the epoch
    tls           for the push, instead of the usual roots of trust
    """

    def __init__(
        self,
        adapter: HostAdapter,
        profile: HostProfile,
        api_url: str,
        web: Origin,
        token: str,
        client: httpx.AsyncClient,
        retry: Retry,
        *,
        metrics: Metrics | None = None,
        owner: str | None = None,
        agent: str = "gencode",
        push_timeout: float = 60.0,
        spacing: float = 1.0,
        sleep: Sleep = anyio.sleep,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        profile.prove(token)
        headers = adapter.headers(token)
        self._adapter = adapter
        self._profile = profile
        self._errors = profile.failures
        self._web = web
        self._token = token
        self._secrets = credentials(token, headers)
        self._retry = retry
        self._owner = owner
        self._sleep = sleep
        self._metrics = metrics or Metrics()
        self._git = GitClient(timeout=push_timeout, agent=agent, tls=tls)
        self._api = RestApi(
            api_url,
            {"User-Agent": agent, **headers},
            client,
            profile=profile,
            secrets=self._secrets,
            hint=adapter.hint,
            metrics=self._metrics,
            spacing=spacing,
            sleep=sleep,
            clock=clock,
        )
        self._user: str | None = None

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        async def attempt() -> Repository:
            return await self._create(spec, snapshot)

        return await self._retry(attempt, self._tell_of_retry)

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        if not self._web.owns(repo.clone_url):
            raise GitProtocol(
                "the repository's clone address is on another host; the token is not sent there"
            )
        with self._metrics.host_seconds.labels(self._profile.label, "push").time():
            pushed = await self._git.push(repo.clone_url, self._token, snapshot, user=self._adapter.git_user)
        await self._show(repo, snapshot.branch)
        return pushed

    # --- create: one attempt ------------------------------------------------------------------------

    async def _create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        account = await self._account(spec.org or self._owner)
        asked = CreateRepository(
            name=spec.name,
            description=described(spec, self._adapter.description),
            private=spec.private,
            branch=snapshot.branch,
            account=account,
            known=await self._known(account),
        )
        create_request = self._adapter.create_request(asked)
        try:
            answer = await self._api.write(create_request.method, create_request.path, create_request.body)
        except (HostUnavailable, HostNetwork, HostProtocol) as doubt:
            return await self._created_after_all(account, spec, snapshot, doubt)
        if answer.done:
            return await self._ready(self._read(answer))
        if self._adapter.name_taken(answer):
            return await self._adopt(await self._find(account, spec, READY_PAUSES), spec, snapshot)
        raise self._refused(answer, account)

    async def _created_after_all(
        self, account: str | None, spec: RepositorySpec, snapshot: Snapshot, doubt: HostError
    ) -> Repository:
        """The reply was lost or made no sense: the repository may be there all the same."""
        found = await self._find(account, spec)
        if found is None:
            raise doubt
        return await self._adopt(found, spec, snapshot)

    async def _ready(self, made: FoundRepository) -> Repository:
        if await self._look(made.repo.owner, made.repo.name, READY_PAUSES) is None:
            name = self._profile.name
            raise self._errors.unavailable(
                f"{name} created the repository but does not show it yet; try again later"
            )
        return made.repo

    async def _adopt(
        self, found: FoundRepository | None, spec: RepositorySpec, snapshot: Snapshot
    ) -> Repository:
        """Ours is what ends with our marker and holds nothing, or just what we would push."""
        if found is None:
            raise RepoExists(
                f"a repository {spec.name!r} exists and the token cannot see it; choose another repo_name"
            )
        name = f"{found.repo.owner}/{found.repo.name}"
        if not found.description.endswith(tag(spec)):
            raise RepoExists(f"{name} exists already and was left alone; choose another repo_name")
        if not await self._holds_nothing_else(found.repo, snapshot):
            raise RepoExists(f"{name} holds other commits and was left alone; choose another repo_name")
        return found.repo

    async def _holds_nothing_else(self, repo: Repository, snapshot: Snapshot) -> bool:
        """Asked of Git itself: it is the same at every host, and it is what a push would meet."""
        try:
            with self._metrics.host_seconds.labels(self._profile.label, "refs").time():
                refs = await self._git.refs(repo.clone_url, self._token, user=self._adapter.git_user)
        except GitAuth as error:
            raise self._errors.forbidden(error.message) from error
        except GitError as error:
            raise self._errors.unavailable(
                f"what the repository holds is not known: {error.message}"
            ) from error
        ours = await anyio.to_thread.run_sync(sha, snapshot)
        return not refs or refs.get(f"refs/heads/{snapshot.branch}") == ours

    async def _show(self, repo: Repository, branch: str) -> None:
        """Have a clone check out our branch. The commit is delivered: failing now would be a lie."""
        create_request = self._adapter.default_branch_request(repo, branch)
        if create_request is None:
            return
        try:
            found = await self._look(repo.owner, repo.name)
            if found and found.branch != branch:
                await self._api.write(create_request.method, create_request.path, create_request.body)
        except HostError as error:
            log.warning(
                "default_branch_not_set", host=self._profile.label, code=error.code, reason=error.message
            )

    # --- finding ------------------------------------------------------------------------------------

    async def _find(
        self, account: str | None, spec: RepositorySpec, pauses: Sequence[float] = ()
    ) -> FoundRepository | None:
        return await self._look(account or await self._login(), self._adapter.named(spec.name), pauses)

    async def _look(self, owner: str, name: str, pauses: Sequence[float] = ()) -> FoundRepository | None:
        """None if it is still 404 after all pauses."""
        for pause in (*pauses, None):
            answer = await self._api.get(self._adapter.repo_path(owner, name))
            if answer.status == 200:
                return self._read(answer)
            if pause is not None:
                await self._sleep(pause)
        return None

    async def _account(self, account: str | None) -> str | None:
        """The organisation to create in, None for the token's own user (who may be named, too)."""
        if account is None or not self._adapter.login:
            return account
        try:
            login = await self._login()
        except HostForbidden:
            return account  # the token of an app, a group or a workspace is no user
        return None if account.lower() == login.lower() else account

    async def _known(self, account: str | None) -> Mapping[str, Any]:
        path = self._adapter.account_path(account) if account else None
        if path is None:
            return {}
        answer = await self._api.get(path)
        if answer.status == 404:
            raise self._refused(answer, account)
        return answer.body

    async def _login(self) -> str:
        if self._user is None:
            answer = await self._api.get("/user")
            login = answer.body.get(self._adapter.login)
            if not isinstance(login, str):
                raise self._errors.protocol(
                    f"{self._profile.name} does not say whose the token is; check {self._profile.address}"
                )
            self._user = login
        return self._user

    # --- answers ------------------------------------------------------------------------------------

    def _read(self, answer: ApiResponse) -> FoundRepository:
        """The repository as its host names it. Its addresses must be the host's: the token follows them."""
        name, address = self._profile.name, self._profile.address
        try:
            found = self._adapter.read(answer.body)
        except ValidationError as error:
            raise self._errors.protocol(f"{name}'s answer does not describe a repository") from error
        if not (self._web.owns(found.repo.clone_url) and self._web.owns(found.repo.web_url)):
            raise self._errors.protocol(
                f"{name}'s answer names a repository on another host; it was not used. If that host is the "
                f"same one under its own name, {address} must say so"
            )
        return found

    def _refused(self, answer: ApiResponse, account: str | None) -> HostError:
        words = quoted(said(answer.body), self._secrets)
        hint = self._adapter.hint(answer.reply)
        if answer.status == 404 and account:
            return self._errors.org(
                f"no organisation {account!r}, or the token may not create in it: {hint}{words}"
            )
        if answer.status == 404:
            return self._errors.forbidden(f"the token may not create repositories; {hint}{words}")
        return self._errors.invalid(f"{self._profile.name} did not accept the repository{words}")

    async def _tell_of_retry(self, error: Transient, wait: float) -> None:
        self._metrics.retries.labels(error.code).inc()
        log.warning(
            "host_retry", host=self._profile.label, code=error.code, wait=round(wait, 1), reason=error.message
        )
