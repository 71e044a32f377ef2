"""The first stage: the requirements as they are now, and the draft that is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gencode.domain.errors import NotFound
from gencode.domain.phrase import Phrase
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.blueprint.names import SOURCE
from gencode.pipelines.blueprint.source import Base, Source, parts_of
from gencode.pipelines.blueprint.work import Work
from gencode.workspace.blueprints.resource import BLUEPRINTS, blueprint_of
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.requirement import Analysis
from gencode.workspace.requirement_documents.table import RequirementDocument
from gencode.workspace.workspace import Workspace


class Requirements:
    """The texts of requirement documents: their requirements where they were analysed, else their content."""

    def __init__(self, workspace: Workspace) -> None:
        self._documents = RequirementDocuments(workspace.database)

    async def text(self, request: Mapping[str, Any], owner: str) -> str:
        """All that the request gives, documents after its own text. Raises NotFound, which names the
        document."""
        texts = [str(request.get("text") or "").strip()]
        for document_id in request.get("requirement_ids") or ():
            texts.append(_text_of(await self.document(document_id, owner)))
        return "\n\n".join(text for text in texts if text)

    async def document(self, document_id: str, owner: str) -> RequirementDocument:
        row = await self._documents.get(document_id, owner)
        if row.original_content is None:
            raise NotFound(
                Phrase(
                    "the requirement document {document_id} has no text: it is {status}",
                    document_id=document_id,
                    status=row.status,
                )
            )
        return row


def _text_of(row: RequirementDocument) -> str:
    found = Analysis.model_validate(row.requirements).requirements if row.requirements else ()
    text = "\n".join(_lines([(one.statement, one.acceptance_criteria) for one in found]))
    return f"# {row.name}\n{text or row.original_content}"


def _lines(requirements: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    return [f"- {statement}" + "".join(f"\n  - {one}" for one in more) for statement, more in requirements]


class Collecting:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._requirements = Requirements(workspace)

    async def run(self, work: Work, emit: Emit) -> Work:
        """Raises NotFound for a document or a blueprint that was deleted meanwhile."""
        owner = work.run.principal
        text = await self._requirements.text(work.request, owner)
        source = Source(parts=parts_of(text), base=await self._base(work.blueprint_id, owner))
        data = {"characters": len(text), "sections": len(source.parts)}
        await emit(
            StageUpdate(
                kind="collected", data=data, checkpoints={SOURCE: source.model_dump_json(by_alias=True)}
            )
        )
        return replace(work, source=source)

    async def _base(self, blueprint_id: str | None, principal: str) -> Base | None:
        if blueprint_id is None:
            return None
        row = await self._workspace.resource(BLUEPRINTS).get(blueprint_id, principal)
        return Base(version=row.version, name=row.name, spec=blueprint_of(row))
