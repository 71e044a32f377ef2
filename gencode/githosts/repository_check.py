"""Checks, without changing anything, whether a repository could be created.

What a host does not report, or does not let the token read, is not checked: the creation will show it.
"""

from __future__ import annotations

from contextlib import suppress

from gencode.githosts.api_dialect import ApiDialect, FoundRepository
from gencode.githosts.errors import HostForbidden, HostInvalid, RepoExists
from gencode.githosts.host_identity import HostIdentity
from gencode.githosts.ownership_marker import marker_suffix
from gencode.githosts.port import RepositorySpec
from gencode.githosts.repository_api import RepositoryApi
from gencode.githosts.responses import ApiResponse
from gencode.githosts.rest_api import RestApi


class RepositoryCheck:
    """Checks account, permission and name when called, in one attempt. Raises HostError."""

    def __init__(
        self, dialect: ApiDialect, identity: HostIdentity, api: RestApi, repositories: RepositoryApi
    ) -> None:
        self._dialect = dialect
        self._errors = identity.errors
        self._api = api
        self._repositories = repositories

    async def __call__(self, spec: RepositorySpec, owner: str | None) -> None:
        """`owner`: the account to create in; None for the token's own user."""
        account = await self._repositories.account(owner)
        await self._require_account(account)
        await self._require_permission(account)
        await self._require_name(spec, account or await self._repositories.login())

    async def _require_account(self, account: str | None) -> None:
        await self._repositories.account_details(account)
        path = self._dialect.account_check_path(account) if account else None
        if path is None:
            return
        response = await self._api.get(path)
        if response.status == 404:
            raise self._repositories.creation_error(response, account)

    async def _require_permission(self, account: str | None) -> None:
        permissions: ApiResponse | None = None
        if self._dialect.login_field:
            with suppress(HostForbidden, HostInvalid):
                path = self._dialect.permission_path(await self._repositories.login(), account)
                permissions = await self._api.get(path) if path else None
        if permissions and self._dialect.forbids_creation(permissions.body):
            where = f"in {account!r}" if account else "of their own, or no more"
            raise self._errors.forbidden(f"the token's user may create no repositories {where}")

    async def _require_name(self, spec: RepositorySpec, owner: str) -> None:
        path = self._dialect.repo_path(owner, self._dialect.normalized_name(spec.name))
        response = await self._api.get(path)
        if self._dialect.missing_scope(response.reply, private=spec.private):
            raise self._errors.forbidden(
                f"the token may not create this repository; {self._dialect.permission_hint(response.reply)}"
            )
        if response.status != 200:
            return
        found = self._repositories.parse(response)
        if self._is_at(found, path) and not found.description.endswith(marker_suffix(spec)):
            raise RepoExists(
                f"{found.repo.owner}/{found.repo.name} exists already; choose another repo_name and retry"
            )

    def _is_at(self, found: FoundRepository, path: str) -> bool:
        """False for a repository that was renamed or moved: its old name redirects to it, but is free."""
        return self._dialect.repo_path(found.repo.owner, found.repo.name).lower() == path.lower()
