"""Repositories of one host over its REST API: find, create, choose the default branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from gencode.githosts.api_dialect import ApiDialect, CreateRepository, FoundRepository
from gencode.githosts.errors import HostAuth, HostError, HostForbidden
from gencode.githosts.host_identity import HostIdentity
from gencode.githosts.origins import Origin
from gencode.githosts.ownership_marker import marked_description
from gencode.githosts.port import Repository, RepositorySpec
from gencode.githosts.refusal_texts import account_advice
from gencode.githosts.responses import ApiResponse, error_text
from gencode.githosts.rest_api import RestApi
from gencode.resilience.retry import Sleep
from gencode.security.redaction import quoted


class RepositoryApi:
    """Repositories and accounts of one host. Each method makes one attempt and raises HostError.

    web  the origin of the host's repositories
    """

    def __init__(
        self, dialect: ApiDialect, identity: HostIdentity, api: RestApi, web: Origin, sleep: Sleep
    ) -> None:
        self._dialect = dialect
        self._identity = identity
        self._errors = identity.errors
        self._web = web
        self._sleep = sleep
        self._api = api
        self._cached_login: str | None = None

    # --- accounts -----------------------------------------------------------------------------------

    async def account(self, name: str | None) -> str | None:
        """The organisation to create in; None for the token's own user, also if `name` is that user."""
        if name is None or not self._dialect.login_field:
            return name
        try:
            login = await self.login()
        except HostForbidden:
            return name  # the token of an app, a group or a workspace is no user
        return None if name.lower() == login.lower() else name

    async def account_details(self, account: str | None) -> Mapping[str, Any]:
        """The description of the account that `create` needs; {} at most hosts."""
        path = self._dialect.account_path(account) if account else None
        if path is None:
            return {}
        response = await self._api.get(path)
        if response.status == 404:
            raise self.creation_error(response, account)
        return response.body

    async def login(self) -> str:
        """The token's user."""
        if self._cached_login is None:
            response = await self._api.get("/user")
            login = response.body.get(self._dialect.login_field)
            if not isinstance(login, str):
                name, setting = self._identity.name, self._identity.url_setting
                raise self._errors.protocol(f"{name} does not say whose the token is; check {setting}")
            self._cached_login = login
        return self._cached_login

    # --- repositories -------------------------------------------------------------------------------

    async def create(
        self, spec: RepositorySpec, branch: str, account: str | None, account_details: Mapping[str, Any]
    ) -> ApiResponse:
        """The response may be a refusal: see `is_name_taken` and `creation_error`."""
        wanted = CreateRepository(
            name=spec.name,
            description=marked_description(spec, self._dialect.max_description),
            private=spec.private,
            branch=branch,
            account=account,
            account_details=account_details,
        )
        return await self._api.send(self._dialect.create_request(wanted))

    async def find(
        self, account: str | None, name: str, pauses: Sequence[float] = ()
    ) -> FoundRepository | None:
        """The repository that was requested by this name; None if it is still 404 after all pauses."""
        return await self.get(account or await self.login(), self._dialect.normalized_name(name), pauses)

    async def get(self, owner: str, name: str, pauses: Sequence[float] = ()) -> FoundRepository | None:
        """The repository of exactly this name; None if it is still 404 after all pauses.

        pauses  seconds between attempts, for a repository that was just created: a replica that does not have
                it yet answers 404, or refuses the token
        """
        path = self._dialect.repo_path(owner, name)
        for pause in pauses:
            with suppress(HostAuth, HostForbidden):
                response = await self._api.get(path)
                if response.status == 200:
                    return self.parse(response)
            await self._sleep(pause)
        response = await self._api.get(path)
        return self.parse(response) if response.status == 200 else None

    async def set_default_branch(self, repo: Repository, branch: str) -> None:
        """Make clones check out this branch, at hosts where the first push does not."""
        request = self._dialect.default_branch_request(repo, branch)
        if request is None:
            return
        found = await self.get(repo.owner, repo.name)
        if found and found.default_branch != branch:
            await self._api.send(request)

    # --- responses ----------------------------------------------------------------------------------

    def parse(self, response: ApiResponse) -> FoundRepository:
        """The repository as its host names it. Both of its URLs must be on this host: the token is sent to
        the clone URL."""
        name = self._identity.name
        try:
            found = self._dialect.parse_repository(response.body)
        except ValidationError as error:
            quote = quoted(error_text(response.body), self._api.secrets)
            raise self._errors.protocol(f"{name}'s answer does not describe a repository{quote}") from error
        if not (self._web.owns(found.repo.clone_url) and self._web.owns(found.repo.web_url)):
            raise self._errors.protocol(
                f"{name}'s answer names a repository on another host; it was not used. If that host is the "
                f"same one under its own name, {self._identity.url_setting} must say so"
            )
        return found

    def is_name_taken(self, response: ApiResponse) -> bool:
        """Whether the creation was refused because a repository of this name exists."""
        return self._dialect.is_name_taken(response)

    def creation_error(self, response: ApiResponse, account: str | None) -> HostError:
        """The error for a refused creation, with the host's own text."""
        quote = quoted(error_text(response.body), self._api.secrets)
        hint = self._dialect.permission_hint(response.reply)
        if advice := account_advice(error_text(response.body)):
            return self._errors.forbidden(f"{advice}{quote}")
        if response.status == 404 and account:
            return self._errors.org(
                f"no organisation {account!r}, or the token may not create in it: {hint}{quote}"
            )
        if response.status == 404:
            return self._errors.forbidden(f"the token may not create repositories; {hint}{quote}")
        return self._errors.invalid(f"{self._identity.name} did not accept the repository{quote}")
