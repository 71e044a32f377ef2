"""Reads and changes the members of teams. A team has one owner always."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid, NotFound
from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.database import Database
from gencode.workspace.errors import AlreadyTaken, TeamNeedsOwner
from gencode.workspace.identity.accounts import is_named
from gencode.workspace.identity.actor import Actor, principal_id
from gencode.workspace.identity.tables import User
from gencode.workspace.plans.quotas import check_members
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.teams.access import require_team
from gencode.workspace.teams.roles import TEAM_ROLES, TeamRole
from gencode.workspace.teams.tables import Team, TeamMember

TRANSFER_FIRST = "the owner stays the owner: make another member the owner first"


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitee:
    """Who becomes a member, by one of these.

    user_id   of an account
    username  of an account, or its email address
    api_key   the name of an API key, whether or not there is one
    """

    user_id: str | None = None
    username: str | None = None
    api_key: str | None = None


class TeamMembers:
    """Each method raises NotFound for who is no member of the team, and Forbidden for who has a lower role
    than TEAM_ROLES says."""

    def __init__(self, database: Database, audit: AuditLog, plans: PlanRules) -> None:
        self._database = database
        self._plans = plans
        self._audit = audit

    async def page(
        self, team_id: str, principal: str, limit: int, after: tuple[datetime, str] | None
    ) -> Sequence[TeamMember]:
        """In the order in which they joined; one more than the limit, if there are more."""
        query = select(TeamMember).where(TeamMember.team_id == team_id)
        if after:
            at, last = after
            is_later = and_(TeamMember.created_at == at, TeamMember.id > last)
            query = query.where(or_(TeamMember.created_at > at, is_later))
        async with self._database.transaction() as session:
            await require_team(session, team_id, principal, TEAM_ROLES["listTeamMembers"])
            ordered = query.order_by(TeamMember.created_at, TeamMember.id).limit(limit + 1)
            return (await session.scalars(ordered)).all()

    async def names(self, members: Sequence[TeamMember]) -> Mapping[str, str]:
        """The names of the accounts among them, by principal."""
        async with self._database.transaction() as session:
            ids = [member.principal.partition(":")[2] for member in members]
            users = await session.execute(select(User.id, User.username).where(User.id.in_(ids)))
            return {principal_id(user_id): username for user_id, username in users}

    async def add(self, team_id: str, invitee: Invitee, role: TeamRole, actor: Actor) -> TeamMember:
        """Raises Invalid for an unknown account, AlreadyTaken for a member, PlanLimitReached."""
        member = TeamMember(id=str(uuid4()), team_id=team_id, role=role.value, invited_by=actor.id)
        async with self._database.transaction() as session:
            team = await require_team(session, team_id, actor.id, TEAM_ROLES["addTeamMember"])
            member.principal = await _principal(session, invitee)
            await check_members(session, team, self._plans)
            session.add(member)
            try:
                await session.flush()
            except IntegrityError:
                raise AlreadyTaken("the team has this member already") from None
            await self._record(session, actor, "added", member, {}, {"role": member.role})
        return member

    async def change_role(self, team_id: str, member_id: str, role: TeamRole, actor: Actor) -> TeamMember:
        """Raises TeamNeedsOwner for the owner's."""
        async with self._database.transaction() as session:
            await require_team(session, team_id, actor.id, TEAM_ROLES["changeTeamMember"])
            member = await _changeable(session, team_id, member_id)
            before, member.role = {"role": member.role}, role.value
            await session.flush()
            await self._record(session, actor, "changed", member, before, {"role": member.role})
        return member

    async def remove(self, team_id: str, member_id: str, actor: Actor) -> None:
        """Everybody may remove themselves. Raises TeamNeedsOwner for the owner."""
        async with self._database.transaction() as session:
            member = await session.get(TeamMember, member_id)
            is_self = member is not None and (member.team_id, member.principal) == (team_id, actor.id)
            operation = "leaveTeam" if is_self else "removeTeamMember"
            await require_team(session, team_id, actor.id, TEAM_ROLES[operation])
            await self._remove(session, await _changeable(session, team_id, member_id), actor)

    async def leave(self, team_id: str, actor: Actor) -> None:
        """Raises TeamNeedsOwner for the owner."""
        async with self._database.transaction() as session:
            await require_team(session, team_id, actor.id, TEAM_ROLES["leaveTeam"])
            mine = (TeamMember.team_id == team_id, TeamMember.principal == actor.id)
            member_id = (await session.scalars(select(TeamMember.id).where(*mine))).one()
            await self._remove(session, await _changeable(session, team_id, member_id), actor)

    async def transfer(self, team_id: str, member_id: str, actor: Actor) -> Team:
        """Makes another member the owner; the old one becomes an admin."""
        async with self._database.transaction() as session:
            team = await require_team(session, team_id, actor.id, TEAM_ROLES["transferTeam"])
            new = await _member(session, team_id, member_id)
            await self.hand_over(session, team, new, actor)
        return team

    async def hand_over(self, session: AsyncSession, team: Team, new: TeamMember, actor: Actor) -> None:
        """Within the caller's transaction, which holds the team."""
        is_owner = (TeamMember.team_id == team.id, TeamMember.role == TeamRole.OWNER)
        old = (await session.scalars(select(TeamMember).where(*is_owner))).one()
        old.role = TeamRole.ADMIN.value
        await session.flush()  # there may be one owner only
        new.role, team.owner = TeamRole.OWNER.value, new.principal
        team.version += 1
        await session.flush()
        owners = {"owner": old.principal}, {"owner": new.principal}
        await self._record(session, actor, "transferred", new, *owners)

    async def _remove(self, session: AsyncSession, member: TeamMember, actor: Actor) -> None:
        await session.delete(member)
        await session.flush()
        await self._record(session, actor, "removed", member, {"role": member.role}, {})

    async def _record(
        self,
        session: AsyncSession,
        actor: Actor,
        action: str,
        member: TeamMember,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        change = Change(
            actor=actor.id,
            action=f"TeamMember.{action}",
            subject=f"Team:{member.team_id}",
            address=actor.address,
            before={"member": member.principal, **before} if before else {},
            after={"member": member.principal, **after} if after else {},
        )
        await self._audit.append(session, change)


async def _principal(session: AsyncSession, invitee: Invitee) -> str:
    if invitee.api_key is not None:
        return invitee.api_key
    field = "user_id" if invitee.username is None else "username"
    wanted = User.id == invitee.user_id if invitee.username is None else is_named(invitee.username)
    user_id = await session.scalar(select(User.id).where(wanted, ~User.is_deleted, User.is_active))
    if user_id is None:
        raise Invalid.of(field, "unknown", "there is no such account in use")
    return principal_id(user_id)


async def _member(session: AsyncSession, team_id: str, member_id: str) -> TeamMember:
    wanted = (TeamMember.id == member_id, TeamMember.team_id == team_id)
    if member := await session.scalar(select(TeamMember).where(*wanted)):
        return member
    raise NotFound("there is no such member of the team")


async def _changeable(session: AsyncSession, team_id: str, member_id: str) -> TeamMember:
    member = await _member(session, team_id, member_id)
    if member.role == TeamRole.OWNER:
        raise TeamNeedsOwner(TRANSFER_FIRST)
    return member
