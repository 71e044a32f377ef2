"""The Git credential that a repository is read, and written to, with."""

from __future__ import annotations

from sqlalchemy import select

from gencode.domain.errors import NotFound
from gencode.githosts.origins import origin_of
from gencode.workspace.git_credentials.hosts import repository_origin
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.git_credentials.table import GitCredential
from gencode.workspace.repositories.errors import RepositoryUnusable
from gencode.workspace.repositories.table import GitRepository
from gencode.workspace.workspace import Workspace


async def credential_of(workspace: Workspace, row: GitRepository) -> GitCredential | None:
    """The chosen one, else the default one of the host. It is checked again that it is for this host. Raises
    RepositoryUnusable."""
    wanted = origin_of(row.repository_url)
    if row.credential_id:
        try:
            chosen = await workspace.resource(GIT_CREDENTIALS).get(row.credential_id, row.owner)
        except NotFound:
            message = "the credential of the repository was deleted: choose another"
            raise RepositoryUnusable(message) from None
        if repository_origin(chosen) != wanted:
            message = "the credential of the repository is for another host by now: choose another"
            raise RepositoryUnusable(message)
        return chosen
    mine = (GitCredential.owner == row.owner, GitCredential.is_default, ~GitCredential.is_deleted)
    async with workspace.database.transaction() as session:
        defaults = await session.scalars(select(GitCredential).where(*mine))
        return next((one for one in defaults if repository_origin(one) == wanted), None)
