"""A clone of a project has its blueprints, with the same tags and parents."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.identity.actor import Actor
from gencode.workspace.projects.table import Project

_COPIED = ("name", "version_tag", "spec", "is_draft", "entities", "errors", "warnings")


async def clone_blueprints(session: AsyncSession, source: Project, clone: Project, actor: Actor) -> None:
    there = (BlueprintRow.project_id == source.id, ~BlueprintRow.is_deleted)
    rows = (
        await session.scalars(select(BlueprintRow).where(*there).options(undefer(BlueprintRow.spec)))
    ).all()
    ids = {row.id: str(uuid4()) for row in rows}
    for row in rows:
        values = {name: getattr(row, name) for name in _COPIED}
        parent = ids.get(row.parent_id or "")
        session.add(
            BlueprintRow(id=ids[row.id], owner=actor.id, project_id=clone.id, parent_id=parent, **values)
        )
