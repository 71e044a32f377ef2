"""The result of an analysis, as JSON and as Markdown."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.http.common_declarations import DISPOSITION, OWN_TASK
from gencode.http.dependencies import get_services, own_task
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.pipelines.requirement_analysis.markdown import report_markdown
from gencode.pipelines.requirement_analysis.work import ANALYSIS
from gencode.workspace.requirement_documents.requirement import Analysis
from gencode.workspace.requirement_documents.tasks import REQUIREMENT_ANALYSIS


class RequirementAnalysisView(Analysis):
    """The requirements of a document, and what became of each part of it."""


REQUIREMENTS = JsonResponseSpec(model=RequirementAnalysisView, description="Once they are found")
MARKDOWN = ResponseSpec(description="Once they are found", media_type="text/markdown", headers=(DISPOSITION,))


@operation(
    "getTaskRequirements",
    "GET /task/{task_id}/requirements",
    "The requirements that an analysis found",
    traits=(OWN_TASK,),
    responses=(REQUIREMENTS,),
)
async def get_requirements(request: Request) -> Response:
    task = await _own_analysis(request)
    return await get_services(request).checkpoint_reader.read(task, _as_json)


@operation(
    "getTaskRequirementsMarkdown",
    "GET /task/{task_id}/requirements.md",
    "The requirements that an analysis found, as Markdown",
    traits=(OWN_TASK,),
    responses=(MARKDOWN,),
)
async def get_markdown(request: Request) -> Response:
    task = await _own_analysis(request)
    text = await get_services(request).checkpoint_reader.read(task, _as_markdown)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="requirements-{task.id}.md"',
    }
    return Response(text, headers=headers, media_type="text/markdown; charset=utf-8")


async def _own_analysis(request: Request) -> Task:
    """Raises NotFound."""
    task = await own_task(request)
    if task.kind != REQUIREMENT_ANALYSIS:
        raise NotFound("this task analyses no requirements")
    return task


def _as_json(checkpoints: Checkpoints) -> Response:
    return REQUIREMENTS.make(RequirementAnalysisView.model_validate_json(_stored(checkpoints)))


def _as_markdown(checkpoints: Checkpoints) -> str:
    return report_markdown(Analysis.model_validate_json(_stored(checkpoints)))


def _stored(checkpoints: Checkpoints) -> str:
    if (text := checkpoints.get(ANALYSIS)) is None:
        raise NotFound("this task has no requirements yet")
    return text
