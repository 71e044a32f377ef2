"""The resource of Git credentials: bodies, view, rules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.domain.task import rfc3339
from gencode.githosts.origins import origin_of
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.git_credentials.hosts import needs_address, repository_origin
from gencode.workspace.git_credentials.table import GitCredential, GitProvider
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.defaults import move_default
from gencode.workspace.resources.models import PRINTABLE, unchanged


def _host_address(value: str) -> str:
    if origin_of(value) is None:
        raise ValueError("must be an address such as https://gitlab.example.com, without credentials")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
UserName = Annotated[
    str,
    StringConstraints(max_length=100, pattern=r"^[!-9;-~]*$"),
    Field(description='The account of the token; no ":". Bitbucket: the e-mail address of an API token'),
]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^([!-~]+@[!-~]+)?$")]
Token = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000, pattern=r"^[!-~]+$"),
    Field(description="Stored encrypted and never shown"),
]
HostAddress = Annotated[
    str,
    StringConstraints(max_length=1000),
    AfterValidator(_host_address),
    Field(description="Of the host, such as https://gitlab.example.com; null: the provider's own"),
]


class GitCredentialCreation(RequestModel):
    """A token of a Git host."""

    name: Name
    provider: GitProvider = Field(GitProvider.GITHUB, strict=False)
    git_username: UserName = ""
    git_email: Email = ""
    access_token: Token
    api_url: HostAddress | None = None
    is_default: bool = False


class GitCredentialChange(RequestModel):
    """Fields that are not given stay as they are. A token is for one host: with another `provider` or
    `api_url`, it is given again."""

    name: Name = unchanged("")
    provider: GitProvider = unchanged(GitProvider.GITHUB, is_enum=True)
    git_username: UserName = unchanged("")
    git_email: Email = unchanged("")
    access_token: Token = unchanged("")
    api_url: HostAddress | None = unchanged(None)
    is_default: bool = unchanged(False)


class GitCredentialView(ResponseModel):
    id: str
    owner: str
    name: str
    provider: GitProvider
    git_username: str
    git_email: str
    api_url: str | None
    is_default: bool
    created_at: Moment
    updated_at: Moment


_COLUMNS = ("id", "owner", "name", "git_username", "git_email", "api_url", "is_default")


def view_of(row: GitCredential) -> GitCredentialView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return GitCredentialView(
        **columns,
        provider=GitProvider(row.provider),
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


async def _complete(session: AsyncSession, row: GitCredential) -> None:
    """The default of an owner and provider moves to the row that asks for it. Raises Invalid."""
    if needs_address(GitProvider(row.provider)) and not row.api_url:
        raise Invalid.of(
            "api_url",
            "value_error",
            Phrase("must be given for the provider {provider}", provider=row.provider),
        )
    if repository_origin(row) is None:
        raise Invalid.of("api_url", "value_error", "must be an address such as https://git.example.com")
    await move_default(session, row, "provider")


GIT_CREDENTIALS: Resource[GitCredential, GitCredentialView] = Resource(
    name="GitCredential",
    title="Git credential",
    path="/git/credentials",
    table=GitCredential,
    creation=GitCredentialCreation,
    change=GitCredentialChange,
    view_model=GitCredentialView,
    view=view_of,
    taken={"uq_git_credentials_default": "is_default"},
    filters=("provider",),
    secrets=("access_token",),
    addresses=("api_url",),
    secret_scope=("provider", "api_url"),
    before_flush=_complete,
)
