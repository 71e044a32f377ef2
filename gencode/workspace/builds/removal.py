"""Removes what is kept of builds, with those whom it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.builds.tables import WrittenHole

_PROJECT = "project:"


def project_scope(project_id: str) -> str:
    """The scope of holes of a project's blueprints; no principal has such an id."""
    return f"{_PROJECT}{project_id}"


def project_of_scope(scope: str) -> str | None:
    """None for what is a principal's own."""
    return scope.removeprefix(_PROJECT) if scope.startswith(_PROJECT) else None


async def remove_holes_of(session: AsyncSession, scopes: Sequence[str]) -> None:
    await session.execute(delete(WrittenHole).where(WrittenHole.scope.in_(scopes)))
