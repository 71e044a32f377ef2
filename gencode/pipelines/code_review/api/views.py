"""What clients see of a review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.base_models import ResponseModel
from gencode.pipelines.code_review.result import ReviewResult

_NAMED = ("subject", "title", "code_diff_id", "repository_id", "base", "head")


class ReviewSummary(ResponseModel):
    """Numbers of open findings."""

    complete: bool = Field(description="Whether every hunk was reviewed, or excluded by a rule")
    hunks_reviewed: int | None = Field(None, description="null: reviewed by a former version")
    left_out: int = Field(0, description="Findings beyond max_findings")
    findings: int
    critical: int
    major: int
    minor: int
    info: int


class PostedReview(ResponseModel):
    """How the review was posted.

    created, changed, closed  comments
    listed                    findings that only the summary has
    unresolved                why threads of closed findings could not be resolved; "" if they were
    is_moved                  the change has another head than was reviewed
    is_superseded             a later review was there
    """

    change: int
    url: str
    created: int
    changed: int
    closed: int
    listed: int
    unresolved: str = ""
    is_moved: bool
    is_superseded: bool


class CodeReviewFields(BaseModel, defer_build=True):
    """Fields of a task's JSON that only this kind has."""

    model: str | None = None
    subject: str | None = None
    title: str | None = Field(
        None, description="What people call it: the subject, or repository and branch by name"
    )
    code_diff_id: str | None = None
    repository_id: str | None = None
    base: str | None = Field(None, description="Of the repository, as the request names it")
    head: str | None = None
    review: ReviewSummary | None = Field(None, description="null until the review is done")
    posted: PostedReview | None = Field(
        None, description="null until it is posted, if the request asks for it"
    )


class ReviewView(ReviewResult, ResponseModel):
    """The findings of a review, the most important first, and what it has read."""


def task_fields(task: Task) -> Mapping[str, Any]:
    return {
        "model": task.parameters.get("model"),
        **{name: task.parameters.get(name) for name in _NAMED},
        "review": task.result.get("review"),
        "posted": task.result.get("posted"),
    }


def label(task: Task) -> str:
    return str(task.parameters.get("title") or task.parameters.get("subject") or "Review")


def notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    return {"subject": task.parameters.get("subject"), "review": task.result.get("review")}
