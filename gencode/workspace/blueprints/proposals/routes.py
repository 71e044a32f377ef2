"""The operations of proposals."""

from __future__ import annotations

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from gencode.blueprints import Blueprint, validate
from gencode.domain.errors import NotFound
from gencode.http.base_models import UUID_SCHEMA
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import Trait, operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.submit_operation import ACCEPT_LANGUAGE, request_language
from gencode.workspace.blueprints.examination import compared, finding_views
from gencode.workspace.blueprints.proposals.decisions import ProposalDecisions
from gencode.workspace.blueprints.proposals.resource import (
    BLUEPRINT_PROPOSALS,
    AcceptedProposal,
    ProposalItem,
    ProposalView,
    item_of,
    item_values,
)
from gencode.workspace.blueprints.proposals.table import BlueprintProposal
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.blueprints.resource import item_of as blueprint_item
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.errors import (
    BlueprintPublished,
    ProjectArchived,
    ProposalDecided,
    ProposalOutdated,
    VersionChanged,
)
from gencode.workspace.parameters import actor_of, id_in_path
from gencode.workspace.resources.routes import (
    ETAG,
    IF_MATCH,
    ListWithin,
    etag,
    list_operation,
    read_version,
)
from gencode.workspace.workspace import Workspace

ONE_PROPOSAL = Trait(path_schemas={"id": UUID_SCHEMA, "proposal_id": UUID_SCHEMA}, errors=(NotFound,))
_PATH = "/blueprints/{id:uuid}/proposals/{proposal_id:uuid}"
SHOWN = JsonResponseSpec(model=ProposalView, description="What it would change, and the document")
ACCEPTED = JsonResponseSpec(
    model=AcceptedProposal, description="The changed draft, with its ETag", headers=(ETAG,)
)
REJECTED = JsonResponseSpec(model=ProposalItem, description="The rejected proposal")


@operation(
    "getBlueprintProposal",
    f"GET {_PATH}",
    "Show a proposed change of a blueprint",
    traits=(ONE_PROPOSAL,),
    parameters=(ACCEPT_LANGUAGE,),
    responses=(SHOWN,),
)
async def get_proposal(request: Request) -> Response:
    workspace, principal = get_extension(request, Workspace), get_principal(request).id
    blueprint = await workspace.resource(BLUEPRINTS).get(id_in_path(request), principal)
    row = await ProposalDecisions(workspace).get(blueprint.id, _proposal_id(request), principal)
    return SHOWN.make(await anyio.to_thread.run_sync(_view, row, blueprint, request_language(request)))


@operation(
    "acceptBlueprintProposal",
    f"POST {_PATH}/accept",
    "Change a draft as proposed",
    traits=(ONE_PROPOSAL,),
    parameters=(IF_MATCH,),
    responses=(ACCEPTED,),
    errors=(VersionChanged, ProposalOutdated, ProposalDecided, BlueprintPublished, ProjectArchived),
)
async def accept_proposal(request: Request) -> Response:
    version = read_version(IF_MATCH.read(request))
    decisions = ProposalDecisions(get_extension(request, Workspace))
    ids = id_in_path(request), _proposal_id(request)
    proposal, changed = await decisions.accept(*ids, actor_of(request), version)
    answer = AcceptedProposal(proposal=item_of(proposal), blueprint=blueprint_item(changed))
    return ACCEPTED.make(answer, {"ETag": etag(changed.version)})


@operation(
    "rejectBlueprintProposal",
    f"POST {_PATH}/reject",
    "Reject a proposed change of a blueprint",
    traits=(ONE_PROPOSAL,),
    responses=(REJECTED,),
    errors=(ProposalDecided, ProjectArchived),
)
async def reject_proposal(request: Request) -> Response:
    decisions = ProposalDecisions(get_extension(request, Workspace))
    row = await decisions.reject(id_in_path(request), _proposal_id(request), actor_of(request))
    return REJECTED.make(item_of(row))


OF_A_BLUEPRINT = ListWithin(
    name="listBlueprintProposals",
    path="/blueprints/{id:uuid}/proposals",
    summary="List the proposed changes of a blueprint",
    column="blueprint_id",
    parent=BLUEPRINTS,
)
PROPOSAL_OPERATIONS = (
    list_operation(BLUEPRINT_PROPOSALS, OF_A_BLUEPRINT),
    get_proposal,
    accept_proposal,
    reject_proposal,
)


def _proposal_id(request: Request) -> str:
    return str(request.path_params["proposal_id"])


def _view(row: BlueprintProposal, draft: BlueprintRow, language: str) -> ProposalView:
    base, spec = Blueprint.model_validate(row.base), Blueprint.model_validate(row.spec)
    return ProposalView(
        **item_values(row),
        is_current=draft.is_draft and draft.spec == row.base,
        difference=compared(base, spec, "postgresql", language),
        findings=finding_views(validate(spec), language),
        spec=spec,
    )
