"""GitHub, GitHub Enterprise, and whatever speaks their REST API: a repository of our own, and the push."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

import anyio
import anyio.to_thread
import httpx
import structlog
from pydantic import BaseModel, ValidationError

from gencode.errors import (
    GitHubForbidden,
    GitHubInvalid,
    GitHubNetwork,
    GitHubOrg,
    GitHubProtocol,
    GitHubUnavailable,
    GitProtocol,
    HostError,
    RepoExists,
    StartError,
    Transient,
)
from gencode.host import Repo, RepoSpec, Snapshot
from gencode.hosts.addresses import web_origin
from gencode.hosts.commit import sha
from gencode.hosts.git import Git
from gencode.hosts.github_answers import name_taken, permission_hint, said
from gencode.hosts.github_api import Answer, Api
from gencode.metrics import Metrics
from gencode.redaction import quoted, spoken
from gencode.retry import Retry, Sleep

log = structlog.get_logger(__name__)

DESCRIPTION = 350  # characters; GitHub refuses more, and control characters
READY_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds: a new repository can answer 404 for some time


class GitHub:
    """Implements `gencode.host.Host`.

    Raises StartError for an address or a token that cannot work.

    api_url       https://api.github.com, or https://HOST/api/v3 of an Enterprise server
    client        made by `gencode.hosts.wire.http_client`: it must ignore the environment's proxies
    owner         the account for requests that name none; None means the token's own user
    push_timeout  seconds for one push
    spacing       seconds between two creations; 0 only for a server of our own
    sleep, clock  replaced by tests; the clock counts seconds since the epoch
    tls           for the push, instead of the usual roots of trust
    """

    def __init__(
        self,
        api_url: str,
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
        if not (token.isascii() and token.isprintable()):
            raise StartError("GITHUB_TOKEN has characters that no header can carry; set it anew")
        self._token = token
        self._retry = retry
        self._owner = owner
        self._sleep = sleep
        self._metrics = metrics or Metrics()
        self._web = web_origin(api_url)
        self._git = Git(timeout=push_timeout, agent=agent, tls=tls)
        self._api = Api(
            api_url,
            token,
            client,
            agent=agent,
            metrics=self._metrics,
            spacing=spacing,
            sleep=sleep,
            clock=clock,
        )
        self._user: str | None = None

    async def create(self, spec: RepoSpec, snapshot: Snapshot) -> Repo:
        async def attempt() -> Repo:
            return await self._create(spec, snapshot)

        return await self._retry(attempt, self._tell_of_retry)

    async def push(self, repo: Repo, snapshot: Snapshot) -> str:
        if not self._web.owns(repo.clone_url):
            raise GitProtocol(
                "the repository's clone address is on another host; the token is not sent there"
            )
        with self._metrics.host.labels("push").time():
            return await self._git.push(repo.clone_url, self._token, snapshot)

    # --- create: one attempt ------------------------------------------------------------------------

    async def _create(self, spec: RepoSpec, snapshot: Snapshot) -> Repo:
        org = await self._org(spec.org or self._owner)
        path = f"/orgs/{_segment(org)}/repos" if org else "/user/repos"
        try:
            answer = await self._api.post(path, _wish(spec))
        except (GitHubUnavailable, GitHubNetwork, GitHubProtocol) as doubt:
            return await self._created_after_all(org, spec, snapshot, doubt)
        if answer.status == 201:
            return await self._ready(self._read(answer))
        if answer.status == 422 and name_taken(answer.body):
            return await self._adopt(await self._find(org, spec, READY_PAUSES), spec, snapshot)
        raise self._refused(answer, org)

    async def _created_after_all(
        self, org: str | None, spec: RepoSpec, snapshot: Snapshot, doubt: HostError
    ) -> Repo:
        """The reply was lost or made no sense: the repository may be there all the same."""
        found = await self._find(org, spec)
        if found is None:
            raise doubt
        return await self._adopt(found, spec, snapshot)

    async def _ready(self, made: _RepoJson) -> Repo:
        if await self._look(made.owner.login, made.name, READY_PAUSES) is None:
            raise GitHubUnavailable("GitHub created the repository but does not show it yet; try again later")
        return made.repo()

    async def _adopt(self, found: _RepoJson | None, spec: RepoSpec, snapshot: Snapshot) -> Repo:
        """Ours is what ends with our marker and holds nothing, or just what we would push."""
        if found is None:
            raise RepoExists(
                f"a repository {spec.name!r} exists and the token cannot see it; choose another repo_name"
            )
        name = f"{found.owner.login}/{found.name}"
        if not (found.description or "").endswith(_tag(spec)):
            raise RepoExists(f"{name} exists already and was left alone; choose another repo_name")
        if not await self._holds_nothing_else(found, snapshot):
            raise RepoExists(f"{name} holds other commits and was left alone; choose another repo_name")
        return found.repo()

    async def _holds_nothing_else(self, found: _RepoJson, snapshot: Snapshot) -> bool:
        path = _path(found.owner.login, found.name) + f"/git/ref/heads/{quote(snapshot.branch)}"
        answer = await self._api.get(path)
        if answer.status == 409:  # "Git Repository is empty."; a 404 means that other branches exist
            return True
        head = answer.body.get("object")
        ours = await anyio.to_thread.run_sync(sha, snapshot)
        return isinstance(head, dict) and head.get("sha") == ours

    # --- finding ------------------------------------------------------------------------------------

    async def _find(self, org: str | None, spec: RepoSpec, pauses: Sequence[float] = ()) -> _RepoJson | None:
        return await self._look(org or await self._login(), _as_github_names(spec.name), pauses)

    async def _look(self, owner: str, name: str, pauses: Sequence[float] = ()) -> _RepoJson | None:
        """None if it is still 404 after all pauses."""
        for pause in (*pauses, None):
            answer = await self._api.get(_path(owner, name))
            if answer.status == 200:
                return self._read(answer)
            if pause is not None:
                await self._sleep(pause)
        return None

    async def _org(self, account: str | None) -> str | None:
        """The organisation to create in, None for the token's own user (who may be named, too)."""
        if account is None:
            return None
        try:
            login = await self._login()
        except GitHubForbidden:
            return account  # an App's installation token is no user
        return None if account.lower() == login.lower() else account

    async def _login(self) -> str:
        if self._user is None:
            answer = await self._api.get("/user")
            login = answer.body.get("login")
            if not isinstance(login, str):
                raise GitHubProtocol("GitHub does not say whose the token is; check GITHUB_API_URL")
            self._user = login
        return self._user

    # --- answers ------------------------------------------------------------------------------------

    def _read(self, answer: Answer) -> _RepoJson:
        """The repository as GitHub names it. Its addresses must be at GitHub: the token follows them."""
        try:
            found = _RepoJson.model_validate(answer.body)
        except ValidationError as error:
            raise GitHubProtocol("GitHub's answer does not describe a repository") from error
        if not (self._web.owns(found.clone_url) and self._web.owns(found.html_url)):
            raise GitHubProtocol("GitHub's answer names a repository on another host; it was not used")
        return found

    def _refused(self, answer: Answer, org: str | None) -> HostError:
        words = quoted(said(answer.body), (self._token,))
        hint = permission_hint(answer.reply)
        if answer.status == 404 and org:
            return GitHubOrg(f"no organisation {org!r}, or the token may not create in it: {hint}{words}")
        if answer.status == 404:
            return GitHubForbidden(f"the token may not create repositories; {hint}{words}")
        return GitHubInvalid(f"GitHub did not accept the repository{words}")

    async def _tell_of_retry(self, error: Transient, wait: float) -> None:
        self._metrics.retries.labels(error.code).inc()
        log.warning("github_retry", code=error.code, wait=round(wait, 1), reason=error.message)


class _Owner(BaseModel):
    login: str


class _RepoJson(BaseModel):
    owner: _Owner
    name: str
    html_url: str
    clone_url: str
    description: str | None = None

    def repo(self) -> Repo:
        return Repo(owner=self.owner.login, name=self.name, web_url=self.html_url, clone_url=self.clone_url)


def _wish(spec: RepoSpec) -> dict[str, str | bool]:
    """`auto_init` false: GitHub's own first commit would make ours a non-fast-forward."""
    return {
        "name": spec.name,
        "description": _description(spec),
        "private": spec.private,
        "auto_init": False,
    }


def _description(spec: RepoSpec) -> str:
    """The text, cut so that the marker stands whole at the end."""
    tag = _tag(spec)
    text = spoken(spec.description)[: DESCRIPTION - len(tag) - 1].strip()
    return f"{text} {tag}".strip()


def _tag(spec: RepoSpec) -> str:
    return f"[{spec.marker}]"


def _as_github_names(name: str) -> str:
    """GitHub puts one "-" for each run of characters that a name may not have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


def _path(owner: str, name: str) -> str:
    return f"/repos/{_segment(owner)}/{_segment(name)}"


def _segment(text: str) -> str:
    return quote(text, safe="")
