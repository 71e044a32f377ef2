"""Counts the archives of builds against the storage of the team whose project it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

from sqlalchemy import select

from gencode.domain.errors import PlanLimitReached
from gencode.engine.ports.store import Store, TaskQuery
from gencode.workspace.builds.tables import BlueprintBuild
from gencode.workspace.database import Database
from gencode.workspace.plans.quotas import add_storage, check_storage
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.projects.table import Project
from gencode.workspace.teams.tables import Team

_IDS_AT_ONCE = 100


class BuildStorage:
    """What deleted tasks took is given back when a team is at its limit. `store`: of the tasks."""

    def __init__(self, database: Database, rules: PlanRules, store: Store) -> None:
        self._database = database
        self._rules = rules
        self._store = store

    async def check(self, project_id: str | None) -> None:
        """Whether there is room for another archive, before anything is paid for. Raises PlanLimitReached."""
        if project_id is not None:
            await self._with_room(project_id, partial(self._check, project_id))

    async def count(self, task_id: str, project_id: str | None, size: int) -> None:
        """The archive of a build takes `size` bytes, in place of what it took before. Repeatable. Raises
        PlanLimitReached."""
        if project_id is not None:
            await self._with_room(project_id, partial(self._count, task_id, project_id, size))

    async def _with_room(self, project_id: str, call: Callable[[], Awaitable[None]]) -> None:
        """Calls it again where room was made for it. Raises PlanLimitReached."""
        try:
            await call()
        except PlanLimitReached:
            team_id = await self._team_of(project_id)
            if team_id is None or not await self._settle(team_id):
                raise
            await call()

    async def _count(self, task_id: str, project_id: str, size: int) -> None:
        async with self._database.transaction() as session:
            row = await session.get(BlueprintBuild, task_id, with_for_update=True)
            if row is not None:
                await add_storage(session, project_id, size - row.bytes, self._rules)
                row.bytes, row.project_id = size, project_id

    async def _check(self, project_id: str) -> None:
        team_id = await self._team_of(project_id)
        async with self._database.transaction() as session:
            if team_id is not None and (team := await session.get(Team, team_id)):
                await check_storage(session, team, self._rules)

    async def _team_of(self, project_id: str) -> str | None:
        """None for what belongs to no team: it has no limit."""
        async with self._database.transaction() as session:
            project = await session.get(Project, project_id)
            return project.team_id if project else None

    async def _settle(self, team_id: str) -> bool:
        """Gives back what builds took whose tasks are not stored any more. Whether there were any."""
        gone = await self._gone(await self._counted(team_id))
        for task_id in gone:
            async with self._database.transaction() as session:
                row = await session.get(BlueprintBuild, task_id, with_for_update=True)
                if row is not None and row.project_id is not None:
                    await add_storage(session, row.project_id, -row.bytes, self._rules)
                    row.bytes = 0
        return bool(gone)

    async def _counted(self, team_id: str) -> Sequence[str]:
        of_team = select(Project.id).where(Project.team_id == team_id)
        counted = (BlueprintBuild.project_id.in_(of_team), BlueprintBuild.bytes > 0)
        async with self._database.transaction() as session:
            return (await session.scalars(select(BlueprintBuild.id).where(*counted))).all()

    async def _gone(self, ids: Sequence[str]) -> Collection[str]:
        gone: set[str] = set()
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            found = await self._store.find(TaskQuery(ids=some, limit=len(some)))
            gone |= set(some) - {task.id for task in found}
        return gone
