"""Gives a team whose owner's account was deleted its next owner: a team is never without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import structlog
from sqlalchemy import ColumnElement, Select, case, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import StoreError
from gencode.workspace.audit.log import AuditLog
from gencode.workspace.database import Database
from gencode.workspace.identity.actor import PREFIX, Actor
from gencode.workspace.identity.tables import User
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.projects.table import Project
from gencode.workspace.teams.members import TeamMembers
from gencode.workspace.teams.roles import TeamRole
from gencode.workspace.teams.tables import Team, TeamMember

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600.0
SERVICE = Actor(id="service")
"""Who does it, for the audit log."""


class TeamSuccession:
    """The next owner is the admin, else the member, else the viewer who joined first. A team without another
    member is deleted with its projects."""

    def __init__(self, database: Database, audit: AuditLog) -> None:
        self._database = database
        self._members = TeamMembers(database, audit, PlanRules())

    async def run(self) -> None:
        """Looks every hour, until it is cancelled."""
        while True:
            try:
                await self.settle()
            except StoreError as error:
                log.warning("teams without an owner were not handed over", reason=error.message)
            await anyio.sleep(INTERVAL_SECONDS)

    async def settle(self) -> int:
        """Returns the number of teams that were handed over or deleted. Raises StoreError."""
        async with self._database.transaction() as session:
            ids = await _without_owner(session)
        for team_id in ids:
            async with self._database.transaction() as session:
                await self._settle(session, team_id)
        return len(ids)

    async def _settle(self, session: AsyncSession, team_id: str) -> None:
        team = await session.get_one(Team, team_id, with_for_update=True)
        if team.id not in await _without_owner(session):
            return  # another process was faster
        if new := await session.scalar(_next_owner(team_id)):
            await self._members.hand_over(session, team, new, SERVICE)
            return
        left = (Project.team_id == team_id, ~Project.is_deleted)
        await session.execute(update(Project).where(*left).values(is_deleted=True))
        team.is_deleted = True


def _is_account(principal: Any) -> ColumnElement[bool]:
    """Whether the account, of the table of users, is this principal."""
    found: ColumnElement[bool] = principal == literal(PREFIX).concat(User.id)
    return found


async def _without_owner(session: AsyncSession) -> Sequence[str]:
    is_gone = select(User.id).where(_is_account(Team.owner), User.is_deleted).exists()
    return (await session.scalars(select(Team.id).where(~Team.is_deleted, is_gone))).all()


def _next_owner(team_id: str) -> Select[TeamMember]:
    rank = case((TeamMember.role == TeamRole.ADMIN, 0), (TeamMember.role == TeamRole.MEMBER, 1), else_=2)
    is_gone = select(User.id).where(_is_account(TeamMember.principal), User.is_deleted).exists()
    others = (TeamMember.team_id == team_id, TeamMember.role != TeamRole.OWNER, ~is_gone)
    order = (rank, TeamMember.created_at, TeamMember.id)
    return select(TeamMember).where(*others).order_by(*order).limit(1)
