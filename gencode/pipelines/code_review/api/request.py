"""The request to review a change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from gencode.http.base_models import CALLBACK_URL_PATTERN, RequestModel
from gencode.model_tasks.request import ModelTaskRequest, integral
from gencode.workspace.resources.models import RowId

MAX_PATCH = 7_000_000
"""Characters. MAX_BODY_BYTES is usually less."""
MAX_PATTERNS = 100

Glob = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]
Subject = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="What is reviewed again and again, such as a branch: findings live across its reviews"),
]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x20\x7f]+$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Value = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")]
PATTERN_MESSAGES = {
    "template_id": "must be the id of a prompt template",
    "requirement_document_id": "must be the id of a requirement document",
    "code_diff_id": "must be the id of a code diff",
    "repository_id": "must be the id of a repository",
    "base": "must be a branch, a tag or a commit",
    "head": "must be a branch, a tag or a commit",
    "callback_url": CALLBACK_URL_PATTERN,
    "post.repository_id": "must be the id of a repository",
    "post.commit": "must be the id of a commit, 40 hexadecimal digits",
}


class Post(RequestModel):
    """Where the review is posted."""

    change: Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(integral)] = Field(
        description="The number of the pull request or merge request"
    )
    repository_id: RowId | None = Field(
        None, description="A registered repository; null: that of the diff. A patch has none"
    )
    commit: Commit | None = Field(
        None, description="The commit up to which the patch goes: the head of the change as it is reviewed"
    )


class CodeReviewRequest(ModelTaskRequest):
    """What POST /api/v1/pipelines/code-review takes."""

    patch: Annotated[str, Field(min_length=1, max_length=MAX_PATCH)] | None = Field(
        None, description="What `git diff` or `git format-patch --stdout` writes"
    )
    patch_encoding: Literal["text", "base64"] = Field(
        "text", description="base64: of the bytes, for a patch that is not UTF-8"
    )
    code_diff_id: RowId | None = Field(None, description="In place of a patch: a code diff")
    repository_id: RowId | None = Field(None, description="In place of a patch: a registered repository")
    base: Ref | None = Field(None, description="Its branch, tag or commit from which on")
    head: Ref | None = Field(None, description="Its branch, tag or commit up to which")
    subject: Subject | None = None
    template_id: RowId | None = Field(None, description="A prompt template of the category code_review")
    variables: Annotated[dict[str, Value], Field(max_length=50)] = Field(
        default_factory=dict, description="Values for the placeholders of the template"
    )
    requirement_document_id: RowId | None = Field(
        None, description="A requirement document that is analysed: what of it does the change meet?"
    )
    include: Annotated[list[Glob], Field(max_length=MAX_PATTERNS)] = Field(
        default_factory=list, description="Paths that no rule about names leaves out; * also matches /"
    )
    exclude: Annotated[list[Glob], Field(max_length=MAX_PATTERNS)] = Field(
        default_factory=list, description="Paths that are not reviewed; * also matches /"
    )
    max_findings: Annotated[int, Field(ge=1, le=200), BeforeValidator(integral)] = 50
    language: Literal["en", "zh"] | None = Field(
        None, description="Of the findings; null: of the task's messages"
    )
    post: Post | None = Field(
        None, description="Post the review to a change request of GitHub, GitLab, Gitea or Forgejo"
    )
    self_check: bool = Field(False, description="One more call, in which the model doubts its findings")

    @model_validator(mode="after")
    def _has_one_source(self) -> CodeReviewRequest:
        refs = (self.repository_id, self.base, self.head)
        sources = (self.patch, self.code_diff_id, self.repository_id)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("needs one of patch, code_diff_id and repository_id")
        if any(ref is not None for ref in refs) and None in refs:
            raise ValueError("repository_id, base and head need each other")
        return self

    @model_validator(mode="after")
    def _has_template(self) -> CodeReviewRequest:
        if self.variables and self.template_id is None:
            raise ValueError("variables need template_id")
        return self

    @model_validator(mode="after")
    def _has_post_target(self) -> CodeReviewRequest:
        if self.post is not None and self.patch is not None and self.post.repository_id is None:
            raise ValueError("post of a patch needs repository_id: the repository of the change")
        if self.post is not None and self.patch is None and self.post.commit is not None:
            raise ValueError("post.commit is for a patch; a repository's diff has its commits")
        return self
