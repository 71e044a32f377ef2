"""The results of a review over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound
from gencode.domain.event import dump
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.http.common_declarations import OWN_TASK
from gencode.http.dependencies import get_services, own_task
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.pipelines.code_review.api.views import ReviewView
from gencode.pipelines.code_review.markdown import review_markdown
from gencode.pipelines.code_review.names import NAME, REVIEW
from gencode.pipelines.code_review.result import ReviewResult
from gencode.pipelines.code_review.sarif import review_sarif

REVIEW_JSON = JsonResponseSpec(model=ReviewView, description="Once the review is done")
REVIEW_MARKDOWN = ResponseSpec(description="The same for people", media_type="text/markdown")

REVIEW_SARIF = ResponseSpec(
    description="For code hosts and editors", media_type="application/sarif+json", schema={"type": "object"}
)


@operation(
    "readReview", "GET /task/{task_id}/review", "A review", traits=(OWN_TASK,), responses=(REVIEW_JSON,)
)
async def read_review(request: Request) -> Response:
    """404 until the review is done."""
    return REVIEW_JSON.make(ReviewView(**dict(await _own_review(request))))


@operation(
    "readReviewMarkdown",
    "GET /task/{task_id}/review.md",
    "A review as Markdown",
    traits=(OWN_TASK,),
    responses=(REVIEW_MARKDOWN,),
)
async def read_review_markdown(request: Request) -> Response:
    task = await own_task(request)
    text = review_markdown(await review_of(request, task), str(task.parameters.get("language")))
    return Response(text, media_type=REVIEW_MARKDOWN.media_type, headers={"Cache-Control": "no-store"})


@operation(
    "readReviewSarif",
    "GET /task/{task_id}/review.sarif",
    "A review in SARIF 2.1.0",
    traits=(OWN_TASK,),
    responses=(REVIEW_SARIF,),
)
async def read_review_sarif(request: Request) -> Response:
    body = dump(review_sarif(await _own_review(request)))
    return Response(body, media_type=REVIEW_SARIF.media_type, headers={"Cache-Control": "no-store"})


async def _own_review(request: Request) -> ReviewResult:
    return await review_of(request, await own_task(request))


async def review_of(request: Request, task: Task) -> ReviewResult:
    """Raises NotFound."""
    return await get_services(request).checkpoint_reader.read(check_kind(task), stored_review)


def check_kind(task: Task) -> Task:
    """Raises NotFound for a task of another kind."""
    if task.kind != NAME:
        raise NotFound("this task is no review")
    return task


def stored_review(checkpoints: Checkpoints) -> ReviewResult:
    """Raises NotFound."""
    if (text := checkpoints.get(REVIEW)) is None:
        raise NotFound("this task has no review, or not yet")
    return ReviewResult.model_validate_json(text)


OPERATIONS = (read_review, read_review_markdown, read_review_sarif)
