"""Who may read and change a team: its members, by their roles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Forbidden, NotFound
from gencode.domain.phrase import Phrase
from gencode.workspace.resources.access import Access, Action
from gencode.workspace.teams.roles import TEAM_ROLES, TeamRole
from gencode.workspace.teams.tables import Team, TeamMember, TeamStatus


def is_member(team_id: Any, principal: str) -> ColumnElement[bool]:
    """Whether the principal is a member of the team with the id in this column."""
    mine = and_(TeamMember.team_id == team_id, TeamMember.principal == principal)
    return select(TeamMember.id).where(mine).exists()


class ByTeam(Access):
    """Everybody may create a team, whose owner is a member of it from then on."""

    def is_readable(self, table: Any, principal: str) -> ColumnElement[bool]:
        return is_member(table.id, principal)

    async def check(self, session: AsyncSession, row: Team, principal: str, action: Action) -> None:
        if action is not Action.CREATE:
            await check_team_role(session, row, principal, TEAM_ROLES[f"{action}Team"])


BY_TEAM = ByTeam()


async def require_team(session: AsyncSession, team_id: str, principal: str, least: TeamRole) -> Team:
    """The team, locked until the transaction ends: so are its members and its number of projects. Raises
    NotFound for who is no member, Forbidden for who has a lower role."""
    is_there = and_(Team.id == team_id, ~Team.is_deleted, is_member(Team.id, principal))
    team: Team | None = await session.scalar(select(Team).where(is_there).with_for_update())
    if team is None:
        raise NotFound("there is no such team, or you are no member of it")
    await check_team_role(session, team, principal, least)
    return team


async def check_team_role(session: AsyncSession, team: Team, principal: str, least: TeamRole) -> None:
    """Raises Forbidden."""
    mine = and_(TeamMember.team_id == team.id, TeamMember.principal == principal)
    found = await session.scalar(select(TeamMember.role).where(mine))
    if found is None or not TeamRole(found).includes(least):
        said = (
            Phrase("your role in the team is {role}", role=found)
            if found
            else Phrase("you are no member of the team")
        )
        raise Forbidden(Phrase("{said}: this needs the role {least} at least", said=said, least=least))
    if team.status == TeamStatus.DISABLED and least is not TeamRole.VIEWER:
        raise Forbidden("the team is disabled: an admin of the service can enable it")
