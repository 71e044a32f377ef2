"""A Git host with a REST API: creates or adopts a repository, and pushes to it. The steps are the same for
all hosts; the differences are in the `ApiDialect`s."""

from __future__ import annotations

import httpx
import structlog

from gencode.domain.errors import Transient
from gencode.githosts.api_dialect import ApiDialect, FoundRepository
from gencode.githosts.connection_options import Endpoint, HostOptions
from gencode.githosts.errors import (
    GitAuth,
    GitError,
    GitProtocol,
    HostError,
    HostNetwork,
    HostProtocol,
    HostUnavailable,
    RepoExists,
)
from gencode.githosts.host_identity import HostIdentity
from gencode.githosts.lazy_git_client import LazyGitClient
from gencode.githosts.ownership_marker import marker_of, marker_suffix
from gencode.githosts.port import Repository, RepositorySpec, RepositoryState, Snapshot
from gencode.githosts.repository_api import RepositoryApi
from gencode.githosts.repository_check import RepositoryCheck
from gencode.githosts.rest_api import RestApi

log = structlog.get_logger(__name__)

_HEADS = "refs/heads/"
READY_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds: a new repository can answer 404 for some time


class RestGitHost:
    """Implements `gencode.githosts.port.GitHost`. Raises StartError for a token that cannot work.

    client    made by `gencode.githosts.http_client.http_client`, which ignores the environment's proxies
    """

    def __init__(
        self,
        dialect: ApiDialect,
        identity: HostIdentity,
        endpoint: Endpoint,
        client: httpx.AsyncClient,
        options: HostOptions,
    ) -> None:
        identity.check_token(endpoint.token)
        self.endpoint = endpoint
        self._identity = identity
        self._errors = identity.errors
        self._options = options
        api = RestApi(dialect, identity, endpoint, client, options)
        self._repositories = RepositoryApi(dialect, identity, api, endpoint.web, options.sleep)
        self._check = RepositoryCheck(dialect, identity, api, self._repositories)
        self._git = LazyGitClient(options, dialect.git_user)

    async def check(self, spec: RepositorySpec) -> None:
        async def attempt() -> None:
            await self._check(spec, spec.org or self._options.owner)

        await self._options.retry(attempt, self._report_retry)

    # --- create -------------------------------------------------------------------------------------

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        async def attempt() -> Repository:
            return await self._create_or_adopt(spec, snapshot)

        return await self._options.retry(attempt, self._report_retry)

    async def _create_or_adopt(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        account = await self._repositories.account(spec.org or self._options.owner)
        details = await self._repositories.account_details(account)
        try:
            response = await self._repositories.create(spec, snapshot.branch, account, details)
        except (HostUnavailable, HostNetwork, HostProtocol) as error:
            return await self._adopt_after_error(account, spec, snapshot, error)
        if response.is_success:
            return await self._wait_until_visible(self._repositories.parse(response).repo)
        if self._repositories.is_name_taken(response):
            found = await self._repositories.find(account, spec.name, READY_PAUSES)
            return await self._adopt(found, spec, snapshot)
        raise self._repositories.creation_error(response, account)

    async def _wait_until_visible(self, repo: Repository) -> Repository:
        if await self._repositories.get(repo.owner, repo.name, READY_PAUSES) is None:
            raise self._errors.unavailable(
                f"{self._identity.name} created the repository but does not show it yet; try again later"
            )
        return repo

    async def _adopt_after_error(
        self, account: str | None, spec: RepositorySpec, snapshot: Snapshot, error: HostError
    ) -> Repository:
        """Looks for the repository after a lost or malformed response: it may have been created."""
        found = await self._repositories.find(account, spec.name)
        if found is None:
            raise error
        return await self._adopt(found, spec, snapshot)

    async def _adopt(
        self, found: FoundRepository | None, spec: RepositorySpec, snapshot: Snapshot
    ) -> Repository:
        """Return an existing repository if it carries our marker and is empty or holds just this snapshot."""
        if found is None:
            raise RepoExists(
                f"a repository {spec.name!r} exists and the token cannot see it; choose another repo_name"
            )
        name = f"{found.repo.owner}/{found.repo.name}"
        if not found.description.endswith(marker_suffix(spec)):
            raise RepoExists(f"{name} exists already and was left alone; choose another repo_name")
        if not await self._holds_nothing_else(found.repo, snapshot):
            raise RepoExists(f"{name} holds other commits and was left alone; choose another repo_name")
        return found.repo

    async def _holds_nothing_else(self, repo: Repository, snapshot: Snapshot) -> bool:
        """Whether the repository is empty or has just this snapshot. Reads the refs over Git, as a push
        does."""
        refs = await self._refs(repo)
        sha = await self._git.commit_sha(snapshot)
        return not refs or refs.get(_HEADS + snapshot.branch) == sha

    async def _refs(self, repo: Repository) -> dict[str, str]:
        try:
            with self._options.metrics.host_seconds.labels(self._identity.label, "refs").time():
                return await self._git.refs(repo.clone_url, self.endpoint.token)
        except GitAuth as error:
            raise self._errors.forbidden(error.message) from error
        except GitError as error:
            raise self._errors.unavailable(
                f"what the repository holds is not known: {error.message}"
            ) from error

    async def _report_retry(self, error: Transient, wait: float) -> None:
        self._options.metrics.retries.labels(error.code).inc()
        log.warning(
            "host_retry",
            host=self._identity.label,
            code=error.code,
            wait=round(wait, 1),
            reason=error.message,
        )

    # --- what is there ------------------------------------------------------------------------------

    async def state(self, repo: Repository) -> RepositoryState | None:
        async def attempt() -> RepositoryState | None:
            return await self._state(repo)

        return await self._options.retry(attempt, self._report_retry)

    async def _state(self, repo: Repository) -> RepositoryState | None:
        """None also for a repository that was moved: its old name leads to it, but may be taken any time."""
        found = await self._repositories.get(repo.owner, repo.name)
        if found is None or found.repo.clone_url != repo.clone_url:
            return None
        refs = await self._refs(found.repo)
        return RepositoryState(
            marker=marker_of(found.description),
            default_branch=found.default_branch or "",
            branches={
                name.removeprefix(_HEADS): sha for name, sha in refs.items() if name.startswith(_HEADS)
            },
        )

    # --- push ---------------------------------------------------------------------------------------

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        if not self.endpoint.web.owns(repo.clone_url):
            raise GitProtocol(
                "the repository's clone address is on another host; the token is not sent there"
            )
        with self._options.metrics.host_seconds.labels(self._identity.label, "push").time():
            sha = await self._git.push(repo.clone_url, self.endpoint.token, snapshot)
        if snapshot.parent is None:
            await self._set_default_branch(repo, snapshot.branch)
        return sha

    async def _set_default_branch(self, repo: Repository, branch: str) -> None:
        """Errors are only logged, because the commit is already pushed."""
        try:
            await self._repositories.set_default_branch(repo, branch)
        except HostError as error:
            log.warning(
                "default_branch_not_set", host=self._identity.label, code=error.code, reason=error.message
            )
