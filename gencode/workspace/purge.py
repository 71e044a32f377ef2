"""Removes for good what was deleted some time ago, and what has ended: rows, and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import anyio
import structlog
from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import StoreError
from gencode.workspace.blueprints.proposals.table import BlueprintProposal
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.builds.removal import project_scope, remove_holes_of
from gencode.workspace.builds.tables import BlueprintBuild
from gencode.workspace.code_diffs.table import CodeDiff, CodeDiffFile
from gencode.workspace.conversations.tables import ChatMessage, Conversation
from gencode.workspace.database import Database
from gencode.workspace.identity.actor import principal_id
from gencode.workspace.identity.tables import User, UserSession
from gencode.workspace.knowledge_bases.tables import (
    KnowledgeBase,
    KnowledgeDocument,
    KnowledgeRemoval,
    KnowledgeText,
)
from gencode.workspace.projects.table import Project, ProjectRow
from gencode.workspace.repositories.table import GitRepository
from gencode.workspace.requirement_documents.table import RequirementDocument
from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.reviews.removal import remove_reviews_of_owners, remove_reviews_of_repositories
from gencode.workspace.tables import Base, SoftDeleted, now
from gencode.workspace.teams.tables import Team, TeamMember
from gencode.workspace.uploads.table import Upload

log = structlog.get_logger(__name__)

FIRST_SECONDS, INTERVAL_SECONDS = 60.0, 3600.0
"""The first time is not while the service starts."""
BATCH = 200
"""Rows that are removed in one transaction: others wait for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependents:
    """Rows that go with those of a table.

    of     the column that names the row by its id
    by     if they are named by the row instead: the column of the row that has their id
    """

    table: type[Base]
    of: Any
    by: Any = None


DEPENDENTS: Mapping[type[Base], Sequence[Dependents]] = {
    BlueprintRow: (
        Dependents(table=BlueprintBuild, of=BlueprintBuild.blueprint_id),
        Dependents(table=BlueprintProposal, of=BlueprintProposal.blueprint_id),
    ),
    CodeDiff: (Dependents(table=CodeDiffFile, of=CodeDiffFile.diff_id),),
    Conversation: (Dependents(table=ChatMessage, of=ChatMessage.conversation_id),),
    KnowledgeBase: (Dependents(table=KnowledgeDocument, of=KnowledgeDocument.base_id),),
    KnowledgeDocument: (Dependents(table=KnowledgeText, of=KnowledgeText.document_id),),
    Team: (Dependents(table=TeamMember, of=TeamMember.team_id),),
    RequirementDocument: (Dependents(table=Upload, of=Upload.id, by=RequirementDocument.upload_id),),
}
AWAITED: Mapping[type[Base], ColumnElement[bool]] = {
    KnowledgeBase: exists().where(KnowledgeRemoval.base_id == KnowledgeBase.id),
    KnowledgeDocument: exists().where(KnowledgeRemoval.document_id == KnowledgeDocument.id),
}
"""Rows that others still have to work on."""


def soft_deleted_tables() -> list[Any]:
    return [one.class_ for one in Base.registry.mappers if issubclass(one.class_, SoftDeleted)]


class Purge:
    """`days`: after which deleted rows are removed; 0 for never."""

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days

    async def run(self) -> None:
        """Removes every hour, until it is cancelled."""
        await anyio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.remove(now())
            except StoreError as error:
                log.warning("deleted rows were not removed; it is tried again", reason=error.message)
            await anyio.sleep(INTERVAL_SECONDS)

    async def remove(self, at: datetime) -> int:
        """Removes what is due at this time. Returns the number of deleted rows that were removed. Raises
        StoreError."""
        async with self._database.transaction() as session:
            await session.execute(delete(UserSession).where(UserSession.expires_at < at))
        if not self._days:
            return 0
        removed, before = 0, at - timedelta(days=self._days)
        for table in soft_deleted_tables():
            while count := await self._remove_batch(table, before):
                removed += count
        return removed

    async def _remove_batch(self, table: Any, before: datetime) -> int:
        due = [table.is_deleted, table.updated_at < before]
        if table in AWAITED:
            due.append(~AWAITED[table])
        async with self._database.transaction() as session:
            ids = (await session.scalars(select(table.id).where(*due).limit(BATCH))).all()
            if ids and table is User:
                await _delete_what_they_own(session, ids)
            if ids and table is Project:
                await _delete_what_is_in(session, ids)
            if ids and table is GitRepository:
                await remove_reviews_of_repositories(session, ids)
            for dependents in DEPENDENTS.get(table, ()) if ids else ():
                await _remove_dependents(session, dependents, table, ids)
            await session.execute(delete(table).where(table.id.in_(ids)))
        return len(ids)


async def _remove_dependents(
    session: AsyncSession, dependents: Dependents, table: Any, ids: Sequence[str]
) -> None:
    named = ids
    if dependents.by is not None:
        named_by = select(dependents.by).where(table.id.in_(ids), dependents.by.is_not(None))
        named = (await session.scalars(named_by)).all()
    await session.execute(delete(dependents.table).where(dependents.of.in_(named)))


async def _delete_what_they_own(session: AsyncSession, user_ids: Sequence[str]) -> None:
    """Nobody can reach it any more. It is removed as if its owner had deleted it. What belongs to a team, or
    to a project, stays."""
    owners = [principal_id(one) for one in user_ids]
    for table in soft_deleted_tables():
        if issubclass(table, OwnedRow) and table is not Team:
            owned = [table.owner.in_(owners), ~table.is_deleted]
            if table is Project:
                owned.append(Project.team_id.is_(None))
            if issubclass(table, ProjectRow):
                owned.append(table.project_id.is_(None))
            await session.execute(update(table).where(*owned).values(is_deleted=True))
    await session.execute(delete(TeamMember).where(TeamMember.principal.in_(owners)))
    await remove_reviews_of_owners(session, owners)
    await remove_holes_of(session, owners)


async def _delete_what_is_in(session: AsyncSession, project_ids: Sequence[str]) -> None:
    """It cannot be read since its project was deleted."""
    for table in soft_deleted_tables():
        if issubclass(table, ProjectRow):
            inside = (table.project_id.in_(project_ids), ~table.is_deleted)
            await session.execute(update(table).where(*inside).values(is_deleted=True))
    await remove_holes_of(session, [project_scope(one) for one in project_ids])
