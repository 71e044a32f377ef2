"""The first stage: the document as it is now, in parts, with the requirements whose ids are kept."""

from __future__ import annotations

from dataclasses import replace

from gencode.domain.errors import NotFound
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.requirement_analysis.source import Source, parts_of, sections_of
from gencode.pipelines.requirement_analysis.work import SOURCE, Work
from gencode.workspace.prompt_templates.placeholders import render, variables_of
from gencode.workspace.prompt_templates.resource import PROMPT_TEMPLATES
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.requirement_documents.table import RequirementDocument
from gencode.workspace.workspace import Workspace

MAX_INSTRUCTIONS = 20_000
"""Characters of a rendered template."""


async def instructions_of(
    workspace: Workspace, template_id: str | None, owner: str, row: RequirementDocument
) -> str:
    """The text of a prompt template, in which {{ document }} and {{ language }} may stand. Raises NotFound,
    and Invalid for other placeholders."""
    if template_id is None:
        return ""
    template = await workspace.resource(PROMPT_TEMPLATES).get(template_id, owner)
    values = {"document": row.name, "language": row.language}
    used = {name: values[name] for name in variables_of(template.content) if name in values}
    return render(template.content, used)[:MAX_INSTRUCTIONS]


class Collecting:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._documents = RequirementDocuments(workspace.database)

    async def run(self, work: Work, emit: Emit) -> Work:
        """Raises NotFound for a document that was deleted, or whose text is being read again."""
        owner = work.run.principal
        row = await self._documents.get(work.document_id, owner)
        if row.original_content is None:
            raise NotFound("the document has no text: parse it again")
        last = await self._documents.last_analysis(row)
        sections = sections_of(row.sections)
        source = Source(
            document_name=row.name,
            language=row.language,
            text=row.original_content,
            sections=[(section.start, section.title, section.page) for section in sections],
            parts=parts_of(row.original_content, sections),
            previous=last.requirements if last else [],
            next_number=last.next_number if last else 1,
            instructions=await instructions_of(self._workspace, work.template_id, owner, row),
        )
        await emit(
            StageUpdate(
                kind="collected",
                data={"characters": len(source.text), "sections": len(source.parts)},
                checkpoints={SOURCE: source.model_dump_json()},
            )
        )
        return replace(work, source=source)
