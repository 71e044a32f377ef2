"""Accepting and rejecting a proposal."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import NotFound
from gencode.domain.phrase import Phrase
from gencode.workspace.blueprints.proposals.resource import BLUEPRINT_PROPOSALS
from gencode.workspace.blueprints.proposals.table import BlueprintProposal, ProposalStatus
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.errors import ProposalDecided, ProposalOutdated, VersionChanged
from gencode.workspace.identity.actor import Actor
from gencode.workspace.tables import now
from gencode.workspace.workspace import Workspace


class ProposalDecisions:
    """Each may be repeated. All raise NotFound for who may not read the blueprint, Forbidden or
    ProjectArchived for who may not change it."""

    def __init__(self, workspace: Workspace) -> None:
        self._blueprints = workspace.resource(BLUEPRINTS)
        self._proposals = workspace.resource(BLUEPRINT_PROPOSALS)

    async def get(self, blueprint_id: str, proposal_id: str, principal: str) -> BlueprintProposal:
        """Raises NotFound."""
        row = await self._proposals.get(proposal_id, principal)
        if row.blueprint_id != blueprint_id:
            raise NotFound("this blueprint has no such proposal")
        return row

    async def accept(
        self, blueprint_id: str, proposal_id: str, actor: Actor, version: int | None
    ) -> tuple[BlueprintProposal, BlueprintRow]:
        """Changes the draft as a PATCH with the proposed document would. `version`: what the draft must have,
        if given. Raises VersionChanged, ProposalOutdated, ProposalDecided, BlueprintPublished."""
        draft = await self._blueprints.get_writable(blueprint_id, actor.id)
        proposal = await self.get(blueprint_id, proposal_id, actor.id)
        if proposal.status == ProposalStatus.ACCEPTED:
            return proposal, draft
        _require_pending(proposal)
        if version is not None and version != draft.version:
            raise VersionChanged("the blueprint was changed meanwhile: read it again")
        if draft.spec != proposal.base:
            raise ProposalOutdated(
                "the blueprint was changed since this was proposed: parse the requirements again, or make "
                "the changes by hand"
            )

        async def mark(session: AsyncSession, _row: BlueprintRow) -> None:
            stored = await _locked(session, proposal_id)
            _require_pending(stored)
            stored.status, stored.version = ProposalStatus.ACCEPTED.value, stored.version + 1
            stored.decided_by, stored.decided_at = actor.id, now()

        changes = {"spec": proposal.spec}
        changed = await self._blueprints.change(blueprint_id, changes, actor, draft.version, then=mark)
        return await self.get(blueprint_id, proposal_id, actor.id), changed

    async def reject(self, blueprint_id: str, proposal_id: str, actor: Actor) -> BlueprintProposal:
        """Raises ProposalDecided for one that was accepted."""
        proposal = await self.get(blueprint_id, proposal_id, actor.id)
        if proposal.status == ProposalStatus.REJECTED:
            return proposal
        _require_pending(proposal)

        async def mark(_session: AsyncSession, row: BlueprintProposal) -> None:
            row.decided_by, row.decided_at = actor.id, now()

        values = {"status": ProposalStatus.REJECTED.value}
        return await self._proposals.change(proposal_id, values, actor, proposal.version, then=mark)


def _require_pending(proposal: BlueprintProposal) -> None:
    if proposal.status != ProposalStatus.PENDING:
        raise ProposalDecided(Phrase("the proposal was {status} already", status=proposal.status))


async def _locked(session: AsyncSession, proposal_id: str) -> BlueprintProposal:
    query = select(BlueprintProposal).where(BlueprintProposal.id == proposal_id).with_for_update()
    return (await session.scalars(query)).one()
