"""The resource of Git repositories: bodies, view, rules."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from dulwich.refs import Ref, check_ref_format
from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid
from gencode.domain.task import rfc3339
from gencode.githosts.origins import origin_of
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.git_credentials.hosts import repository_origin
from gencode.workspace.git_credentials.table import GitCredential
from gencode.workspace.repositories.table import GitRepository, SyncStatus
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, RowId, unchanged

MAX_REF = 255


def _repository_url(value: str) -> str:
    """The address without a "/" at its end."""
    if value.partition("://")[0].lower() not in ("https", "http"):
        raise ValueError("must be an https address, such as https://github.com/octo/project")
    if origin_of(value) is None:
        raise ValueError("must be a plain address, without credentials: choose a credential_id")
    address = value.rstrip("/")
    segments = urlsplit(address).path.split("/")[1:]
    if not segments or not all(segment.strip(".") and not segment.startswith("-") for segment in segments):
        raise ValueError("must name a repository, such as https://github.com/octo/project")
    return address


def ref_name(value: str) -> str:
    """The name of a branch, a tag or a commit. Raises ValueError."""
    is_valid = not value.startswith("-") and check_ref_format(Ref(b"refs/heads/" + value.encode()))
    if not is_valid:
        raise ValueError("must be the name of a branch or tag, or the id of a commit")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
RepositoryUrl = Annotated[
    str,
    StringConstraints(max_length=1000),
    AfterValidator(_repository_url),
    Field(description="https (http: only where the operator allows it), without credentials"),
]
RefName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REF), AfterValidator(ref_name)]


class GitRepositoryCreation(RequestModel):
    """`branch`: null is the host's default branch. `credential_id`: null is the default credential of the
    host, if there is one."""

    name: Name
    repository_url: RepositoryUrl
    branch: RefName | None = None
    credential_id: RowId | None = None
    is_active: bool = True


class GitRepositoryChange(RequestModel):
    """Fields that are not given stay as they are."""

    name: Name = unchanged("")
    repository_url: RepositoryUrl = unchanged("")
    branch: RefName | None = unchanged(None)
    credential_id: RowId | None = unchanged(None)
    is_active: bool = unchanged(True)


class GitRepositoryView(ResponseModel):
    """`sync_*` are of the last sync, `default_branch` and `head_commit` (of `branch`) of the last one that
    succeeded. `size_bytes`: of the clone."""

    id: str
    owner: str
    name: str
    repository_url: str
    branch: str | None
    credential_id: str | None
    is_active: bool
    sync_status: SyncStatus
    sync_error: str | None
    sync_error_code: str | None
    sync_task_id: str | None
    last_sync_at: Moment | None
    default_branch: str | None
    head_commit: str | None
    size_bytes: int
    created_at: Moment
    updated_at: Moment


_COLUMNS = (
    *("id", "owner", "name", "repository_url", "branch", "credential_id", "is_active"),
    *("sync_error", "sync_error_code", "sync_task_id", "default_branch", "head_commit", "size_bytes"),
)
_OF_A_SYNC = (
    *("sync_error", "sync_error_code", "sync_task_id", "last_sync_at"),
    *("default_branch", "head_commit", "branches"),
)


def view_of(row: GitRepository) -> GitRepositoryView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return GitRepositoryView(
        **columns,
        sync_status=SyncStatus(row.sync_status or SyncStatus.PENDING),
        last_sync_at=rfc3339(row.last_sync_at) if row.last_sync_at else None,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


async def _complete(session: AsyncSession, row: GitRepository) -> None:
    """Raises Invalid. What is known of another address is forgotten."""
    if row.credential_id:
        await _check_credential(session, row)
    state = inspect(row)
    if state.persistent and state.attrs.repository_url.history.has_changes():
        row.sync_status, row.is_local, row.size_bytes = SyncStatus.PENDING.value, False, 0
        for name in _OF_A_SYNC:
            setattr(row, name, None)


async def _check_credential(session: AsyncSession, row: GitRepository) -> None:
    is_own = (GitCredential.id == row.credential_id, GitCredential.owner == row.owner)
    credential = await session.scalar(select(GitCredential).where(*is_own, ~GitCredential.is_deleted))
    if credential is None:
        raise Invalid.of("credential_id", "unknown", "you have no such Git credential")
    if repository_origin(credential) != origin_of(row.repository_url):
        raise Invalid.of("credential_id", "value_error", "is for another host than repository_url")


GIT_REPOSITORIES: Resource[GitRepository, GitRepositoryView] = Resource(
    name="GitRepository",
    title="Git repository",
    path="/git/repositories",
    table=GitRepository,
    creation=GitRepositoryCreation,
    change=GitRepositoryChange,
    view_model=GitRepositoryView,
    view=view_of,
    filters=("sync_status",),
    addresses=("repository_url",),
    before_flush=_complete,
)
