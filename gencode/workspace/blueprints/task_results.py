"""What tasks write about blueprints: a new draft, or a proposal. Each is written once, however often its task
repeats it: the id of the row follows from the task's."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select

from gencode.domain.errors import StoreError
from gencode.workspace.blueprints.proposals.resource import BLUEPRINT_PROPOSALS
from gencode.workspace.blueprints.proposals.table import BlueprintProposal
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.errors import AlreadyTaken
from gencode.workspace.identity.actor import Actor
from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.workspace import Workspace

T = TypeVar("T", bound=OwnedRow)
MAX_TAGS = 1000


class BlueprintResults:
    """`actor`: the principal of the task."""

    def __init__(self, workspace: Workspace) -> None:
        self._database = workspace.database
        self._drafts = workspace.resource(BLUEPRINTS)
        self._proposals = workspace.resource(BLUEPRINT_PROPOSALS)

    async def create_draft(self, task_id: str, values: Mapping[str, Any], actor: Actor) -> BlueprintRow:
        """`version_tag` in the values: "" for the first that is free in the project; one that was taken
        meanwhile gets a number. Raises the errors of the project: Invalid, Forbidden, ProjectArchived."""

        async def create(given: Mapping[str, Any]) -> BlueprintRow:
            return await self._drafts.create(await self._with_free_tag(given), actor)

        for _ in range(3):
            try:
                return await self._once(BlueprintRow, task_id, values, create)
            except AlreadyTaken:
                continue  # by somebody else between the two statements
        return await self._once(BlueprintRow, task_id, values, create)

    async def propose(self, task_id: str, values: Mapping[str, Any], actor: Actor) -> BlueprintProposal:
        """Raises NotFound for a blueprint that was deleted, Forbidden, ProjectArchived."""

        async def create(given: Mapping[str, Any]) -> BlueprintProposal:
            return await self._proposals.create(given, actor)

        return await self._once(BlueprintProposal, task_id, {**values, "task_id": task_id}, create)

    async def _once(
        self,
        table: type[T],
        task_id: str,
        values: Mapping[str, Any],
        create: Callable[[Mapping[str, Any]], Coroutine[Any, Any, T]],
    ) -> T:
        row_id = result_id(table, task_id)
        if (row := await self._stored(table, row_id)) is not None:
            return row
        try:
            return await create({**values, "id": row_id})
        except StoreError:  # its id is taken: another worker, which this one has displaced, was faster
            if (row := await self._stored(table, row_id)) is None:
                raise
            return row

    async def _stored(self, table: type[T], row_id: str) -> T | None:
        """Also one that was deleted since."""
        async with self._database.transaction() as session:
            found: T | None = await session.scalar(select(table).where(table.id == row_id))
            return found

    async def _with_free_tag(self, values: Mapping[str, Any]) -> dict[str, Any]:
        wanted = str(values.get("version_tag") or "")
        if not values.get("project_id"):
            return {**values, "version_tag": wanted or "0.1.0"}
        used = select(BlueprintRow.version_tag).where(
            BlueprintRow.project_id == values["project_id"], ~BlueprintRow.is_deleted
        )
        async with self._database.transaction() as session:
            taken = set((await session.scalars(used)).all())
        numbers = range(1, MAX_TAGS)
        tags = [wanted, *(f"{wanted[:40]}-{number + 1}" for number in numbers)] if wanted else []
        tags = tags or [f"0.{number}.0" for number in numbers]
        return {**values, "version_tag": next((tag for tag in tags if tag not in taken), tags[-1])}


def result_id(table: type[OwnedRow], task_id: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"gencode:{table.__tablename__}:{task_id}"))
