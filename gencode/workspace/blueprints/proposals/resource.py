"""The resource of proposals: who may read the blueprint reads them, who may change it decides on them."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.blueprints import Blueprint
from gencode.domain.errors import NotFound
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.blueprints.examination import Comparison, FindingView
from gencode.workspace.blueprints.proposals.table import BlueprintProposal, ProposalStatus
from gencode.workspace.blueprints.resource import BlueprintItem
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.projects.access import IN_PROJECT
from gencode.workspace.resources.access import Access, Action
from gencode.workspace.resources.declaration import Resource


class ProposalItem(ResponseModel):
    """`base_version`: the version of the draft that it changes. `changes`: how many differences it has.
    `errors`, `warnings`: findings of the proposed document."""

    id: str
    blueprint_id: str
    task_id: str
    name: str
    owner: str
    status: ProposalStatus
    base_version: int
    changes: int
    entities: int
    errors: int
    warnings: int
    created_at: Moment
    decided_at: Moment | None
    decided_by: str | None


class ProposalView(ProposalItem):
    is_current: bool = Field(
        description="Whether the draft is still as it was when this was made: else it cannot be accepted"
    )
    difference: Comparison
    findings: list[FindingView]
    spec: Blueprint


class AcceptedProposal(ResponseModel):
    proposal: ProposalItem
    blueprint: BlueprintItem


class OfBlueprint(Access):
    """Of what belongs to a blueprint."""

    def is_readable(self, table: Any, principal: str) -> ColumnElement[bool]:
        readable = (~BlueprintRow.is_deleted, IN_PROJECT.is_readable(BlueprintRow, principal))
        found: ColumnElement[bool] = table.blueprint_id.in_(select(BlueprintRow.id).where(*readable))
        return found

    async def check(
        self, session: AsyncSession, row: BlueprintProposal, principal: str, action: Action
    ) -> None:
        there = (BlueprintRow.id == row.blueprint_id, ~BlueprintRow.is_deleted)
        readable = IN_PROJECT.is_readable(BlueprintRow, principal)
        blueprint = await session.scalar(select(BlueprintRow).where(*there, readable))
        if blueprint is None:
            raise NotFound("there is no such blueprint, or it belongs to somebody else")
        await IN_PROJECT.check(session, blueprint, principal, Action.CHANGE)


def item_values(row: BlueprintProposal) -> dict[str, Any]:
    names = ProposalItem.model_fields.keys() - {"created_at", "decided_at", "status"}
    return {
        **{name: getattr(row, name) for name in names},
        "status": ProposalStatus(row.status),
        "created_at": rfc3339(row.created_at),
        "decided_at": rfc3339(row.decided_at) if row.decided_at else None,
    }


def item_of(row: BlueprintProposal) -> ProposalItem:
    return ProposalItem(**item_values(row))


BLUEPRINT_PROPOSALS = Resource(
    name="BlueprintProposal",
    title="proposal",
    path="/blueprints/{id:uuid}/proposals",
    table=BlueprintProposal,
    creation=RequestModel,
    change=RequestModel,
    view_model=ProposalItem,
    view=item_of,
    filters=("status",),
    access=OfBlueprint(),
    long_columns=("base", "spec"),
)
"""Tasks make its rows; it has no operations to create or change them as they like."""
