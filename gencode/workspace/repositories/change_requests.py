"""The change requests of a registered repository, where its credential may post reviews."""

from __future__ import annotations

from gencode.domain.errors import NotFound
from gencode.observability.metrics import Metrics
from gencode.outbound.user_http import UserHttp
from gencode.reviewhosts.connect import PROVIDERS, Repository, review_host
from gencode.reviewhosts.errors import PostingUnavailable
from gencode.reviewhosts.port import ReviewHost
from gencode.workspace.git_credentials.hosts import host_address
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.git_credentials.table import GitCredential, GitProvider
from gencode.workspace.repositories.credentials import credential_of
from gencode.workspace.repositories.errors import RepositoryUnusable
from gencode.workspace.repositories.resource import GIT_REPOSITORIES
from gencode.workspace.repositories.table import GitRepository
from gencode.workspace.workspace import Workspace


class ChangeRequests:
    """`principal`: the id of whoever posts, who owns repository and credential."""

    def __init__(self, workspace: Workspace, http: UserHttp, metrics: Metrics) -> None:
        self._workspace = workspace
        self._http = http
        self._metrics = metrics

    async def check(self, repository_id: str, principal: str) -> None:
        """Whether reviews can be posted, as far as it is known here. Raises PostingUnavailable."""
        await self._credential(await self._row(repository_id, principal))

    async def host(self, repository_id: str, principal: str) -> ReviewHost:
        """Raises PostingUnavailable."""
        row = await self._row(repository_id, principal)
        credential = await self._credential(row)
        token = self._workspace.resource(GIT_CREDENTIALS).secret(credential, "access_token")
        provider = GitProvider(credential.provider)
        repository = Repository(
            provider=provider.value,
            host=host_address(provider, credential.api_url),
            url=row.repository_url,
        )
        return review_host(repository, token, self._http.client_for(row.owner), self._metrics)

    async def _row(self, repository_id: str, principal: str) -> GitRepository:
        try:
            row = await self._workspace.resource(GIT_REPOSITORIES).get(repository_id, principal)
        except NotFound as error:
            raise PostingUnavailable(error.message) from None
        if row.owner != principal:
            raise PostingUnavailable("only the owner of the repository posts with its credential")
        if not row.is_active:
            raise PostingUnavailable("the repository is not active: switch it on first")
        return row

    async def _credential(self, row: GitRepository) -> GitCredential:
        try:
            credential = await credential_of(self._workspace, row)
        except RepositoryUnusable as error:
            raise PostingUnavailable(error.message) from None
        if credential is None:
            raise PostingUnavailable(
                "posting needs a Git credential: choose one for the repository, or make one the default of "
                "its host"
            )
        if credential.provider not in PROVIDERS:
            raise PostingUnavailable(
                f"reviews are posted to {', '.join(PROVIDERS)}; the credential is for {credential.provider}"
            )
        return credential
