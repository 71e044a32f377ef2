"""What belongs to a project, whichever resources it is of: counted, and copied with a clone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.identity.actor import Actor
from gencode.workspace.projects.table import Project, ProjectRow
from gencode.workspace.tables import Base

CloneContents = Callable[[AsyncSession, Project, Project, Actor], Awaitable[None]]
"""Copies what a project has into its clone: of the old project, the new one, and who clones."""
CLONED: dict[type[ProjectRow], CloneContents] = {}
"""By table: the package of a resource adds what copies its rows. Others are not copied."""


def tables_in_projects() -> list[Any]:
    return [one.class_ for one in Base.registry.mappers if issubclass(one.class_, ProjectRow)]


async def count_contents(session: AsyncSession, project_id: str) -> Mapping[str, int]:
    """The rows by table."""
    counts = {}
    for table in tables_in_projects():
        inside = (table.project_id == project_id, ~table.is_deleted)
        counted = select(func.count()).select_from(table).where(*inside)
        counts[str(table.__tablename__)] = int(await session.scalar(counted) or 0)
    return counts


async def clone_contents(session: AsyncSession, source: Project, clone: Project, actor: Actor) -> None:
    for copy in CLONED.values():
        await copy(session, source, clone, actor)
