"""Reads and writes what is kept of builds. Every write but that of a download can be repeated."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from gencode.workspace.builds.tables import BlueprintBuild, WrittenHole
from gencode.workspace.database import Database, insert_if_absent
from gencode.workspace.tables import now

HOLE_DAYS = 365
"""After which what a model has written into a hole is forgotten."""
_DIGESTS_AT_ONCE = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptHole:
    body: str
    model: str


class BuildStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, task_id: str, blueprint_id: str, owner: str) -> None:
        """Does nothing for a build that is known."""
        async with self._database.transaction() as session:
            await insert_if_absent(
                session, BlueprintBuild, id=task_id, blueprint_id=blueprint_id, owner=owner, downloads=0
            )

    async def get(self, task_id: str) -> BlueprintBuild | None:
        async with self._database.transaction() as session:
            return await session.get(BlueprintBuild, task_id)

    async def of_blueprint(self, blueprint_id: str, limit: int) -> Sequence[BlueprintBuild]:
        """The newest first: ids of tasks grow with time."""
        mine = select(BlueprintBuild).where(BlueprintBuild.blueprint_id == blueprint_id)
        async with self._database.transaction() as session:
            return (await session.scalars(mine.order_by(BlueprintBuild.id.desc()).limit(limit))).all()

    async def count_download(self, task_id: str) -> None:
        one = update(BlueprintBuild).where(BlueprintBuild.id == task_id)
        async with self._database.transaction() as session:
            await session.execute(one.values(downloads=BlueprintBuild.downloads + 1))

    async def kept_holes(self, scope: str, digests: Collection[str]) -> Mapping[str, KeptHole]:
        """By digest, those that are known."""
        wanted, found = list(digests), dict[str, KeptHole]()
        async with self._database.transaction() as session:
            for start in range(0, len(wanted), _DIGESTS_AT_ONCE):
                some = wanted[start : start + _DIGESTS_AT_ONCE]
                rows = select(WrittenHole).where(WrittenHole.scope == scope, WrittenHole.digest.in_(some))
                for row in await session.scalars(rows):
                    found[row.digest] = KeptHole(body=row.body, model=row.model)
        return found

    async def keep_holes(self, scope: str, holes: Mapping[str, KeptHole]) -> None:
        """`holes`: by digest. One that is known is replaced."""
        old = (WrittenHole.scope == scope, WrittenHole.created_at <= now() - timedelta(days=HOLE_DAYS))
        async with self._database.transaction() as session:
            await session.execute(delete(WrittenHole).where(*old))
            for digest, hole in holes.items():
                await insert_if_absent(
                    session, WrittenHole, scope=scope, digest=digest, body=hole.body, model=hole.model
                )
                known = update(WrittenHole).where(WrittenHole.scope == scope, WrittenHole.digest == digest)
                await session.execute(known.values(body=hole.body, model=hole.model))

    async def forget_holes(self, scope: str, digests: Collection[str]) -> None:
        known = (WrittenHole.scope == scope, WrittenHole.digest.in_(list(digests)))
        async with self._database.transaction() as session:
            await session.execute(delete(WrittenHole).where(*known))
