"""Counts generations against the monthly limits of plans."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid, NotFound, PlanLimitReached
from gencode.domain.phrase import Phrase
from gencode.domain.principal import Principal
from gencode.engine.ports.store import Store, TaskQuery
from gencode.http.generation_limits import GenerationLimits, Reservation
from gencode.workspace.database import Database
from gencode.workspace.identity.actor import user_id_of
from gencode.workspace.identity.tables import User
from gencode.workspace.plans.end_date import plan_today
from gencode.workspace.plans.quotas import Use
from gencode.workspace.plans.rules import Plan, PlanRules
from gencode.workspace.plans.table import Generation
from gencode.workspace.projects.access import require_project
from gencode.workspace.tables import now
from gencode.workspace.teams.tables import Team

UNKNOWN_AFTER = timedelta(minutes=10)
"""A submission that has not ended by then was interrupted: the store tells whether its task is stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Whose plan counts a generation: a user, or a team."""

    user_id: str | None = None
    team_id: str | None = None
    project_id: str | None = None
    id: str = field(default="")

    async def plan(self, session: AsyncSession) -> Plan:
        """Locks the subject until the transaction ends: generations of one subject are counted in turn."""
        if self.team_id:
            team = await session.get_one(Team, self.team_id, with_for_update=True)
            return plan_today(team.subscription_plan, team.subscription_ends_on)
        user = await session.get_one(User, self.user_id, with_for_update=True)
        return plan_today(user.subscription_level, user.subscription_ends_on)


def team_subject(team_id: str, project_id: str | None = None) -> Subject:
    return Subject(team_id=team_id, project_id=project_id, id=f"team:{team_id}")


def user_subject(user_id: str, principal: str, project_id: str | None = None) -> Subject:
    return Subject(user_id=user_id, project_id=project_id, id=principal)


class DatabaseGenerationLimits(GenerationLimits):
    """`store`: of the tasks."""

    def __init__(self, database: Database, rules: PlanRules, store: Store) -> None:
        self._database = database
        self._rules = rules
        self._store = store

    async def reservation(self, principal: Principal, project_id: str | None = None) -> Reservation | None:
        async with self._database.transaction() as session:
            subject = await _subject(session, principal, project_id)
        if subject is None:
            return None
        reservation = PlanReservation(self._database, self._rules, self._store, subject)
        await reservation.check()
        return reservation


class PlanReservation:
    """See Reservation."""

    def __init__(self, database: Database, rules: PlanRules, store: Store, subject: Subject) -> None:
        self._database = database
        self._rules = rules
        self._store = store
        self._subject = subject

    async def check(self) -> None:
        """Raises PlanLimitReached."""
        async with self._database.transaction() as session:
            await self._check(session)

    async def take(self, task_id: str) -> None:
        subject = self._subject
        async with self._database.transaction() as session:
            await self._check(session)
            one = Generation(
                id=task_id, subject=subject.id, month=this_month(), project_id=subject.project_id
            )
            session.add(one)

    async def confirm(self, task_id: str) -> None:
        async with self._database.transaction() as session:
            await session.execute(update(Generation).where(Generation.id == task_id).values(is_stored=True))

    async def release(self, task_id: str) -> None:
        async with self._database.transaction() as session:
            await session.execute(delete(Generation).where(Generation.id == task_id))

    async def _check(self, session: AsyncSession) -> None:
        plan = await self._subject.plan(session)
        use = await generations_of(session, self._subject.id, plan, self._rules)
        if use.is_full and await self._settle(session):
            use = await generations_of(session, self._subject.id, plan, self._rules)
        if use.is_full:
            who = Phrase("the team's") if self._subject.team_id else Phrase("your")
            raise PlanLimitReached(
                Phrase(
                    "{used} of {limit} generations of {who} plan ({plan}) are used in {this_month}: "
                    "wait for the next month (UTC), or ask an admin of the service for a higher plan",
                    used=use.used,
                    limit=use.limit,
                    who=who,
                    plan=plan,
                    this_month=this_month(),
                )
            )

    async def _settle(self, session: AsyncSession) -> bool:
        """Forgets generations whose submission was interrupted before its task was stored. Returns whether
        there were any."""
        interrupted = (
            Generation.subject == self._subject.id,
            Generation.month == this_month(),
            Generation.is_stored.is_(False),
            Generation.created_at < now() - UNKNOWN_AFTER,
        )
        has_gone = False
        for one in (await session.scalars(select(Generation).where(*interrupted))).all():
            if await self._store.find(TaskQuery(id=one.id, limit=1)):
                one.is_stored = True
                continue
            await session.delete(one)
            has_gone = True
        await session.flush()
        return has_gone


async def _subject(session: AsyncSession, principal: Principal, project_id: str | None) -> Subject | None:
    if project_id is not None:
        try:
            project = await require_project(session, project_id, principal.id)
        except NotFound as error:
            raise Invalid.of("project_id", "unknown", error.message) from None
        if project.team_id is not None:
            return team_subject(project.team_id, project_id)
    user_id = user_id_of(principal.id)
    return user_subject(user_id, principal.id, project_id) if user_id else None


async def generations_of(session: AsyncSession, subject: str, plan: Plan, rules: PlanRules) -> Use:
    """In this month."""
    used = await session.scalar(_counted(subject).where(Generation.month == this_month()))
    return Use(used=used or 0, limit=rules.generations.get(plan))


async def all_generations_of(session: AsyncSession, subject: str) -> int:
    return await session.scalar(_counted(subject)) or 0


def _counted(subject: str) -> Select[int]:
    return select(func.count()).select_from(Generation).where(Generation.subject == subject)


def this_month() -> str:
    return f"{now():%Y-%m}"
