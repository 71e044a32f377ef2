"""Which set an id names, for whom: of the distribution, or a row; what may be applied."""

from __future__ import annotations

from gencode.blueprints.template_sets import SetContent
from gencode.domain.errors import Forbidden
from gencode.domain.phrase import Phrase
from gencode.workspace.errors import TemplateNotProven
from gencode.workspace.templates.official import official
from gencode.workspace.templates.resource import TEMPLATE_SETS, content_of
from gencode.workspace.templates.table import ProofStatus, TemplateSetRow
from gencode.workspace.workspace import Workspace


async def readable_content(workspace: Workspace, template_id: str, principal: str) -> SetContent:
    """Raises NotFound."""
    if content := official(template_id):
        return content
    return content_of(await workspace.resource(TEMPLATE_SETS).get(template_id, principal))


async def usable_content(workspace: Workspace, template_id: str, principal: str) -> SetContent:
    """A set that the principal may read, and that is proven: others are applied by nobody. Raises NotFound,
    TemplateNotProven."""
    if content := official(template_id):
        return content
    row = await workspace.resource(TEMPLATE_SETS).get(template_id, principal)
    if row.status != ProofStatus.PROVEN:
        raise TemplateNotProven(
            Phrase("the set is {status}: it is applied once it is proven (POST .../prove)", status=row.status)
        )
    return content_of(row)


async def own_row(workspace: Workspace, template_id: str, principal: str) -> TemplateSetRow:
    """A set that the principal may change. Raises NotFound, Forbidden, ProjectArchived."""
    refuse_official(template_id)
    return await workspace.resource(TEMPLATE_SETS).get_writable(template_id, principal)


def refuse_official(template_id: str) -> None:
    """Raises Forbidden."""
    if official(template_id):
        raise Forbidden("the set belongs to the service: download it, and upload it under another name")
