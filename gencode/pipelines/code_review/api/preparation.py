"""From a valid request to the stored task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import anyio.to_thread

from gencode.domain.errors import Invalid, NotFound
from gencode.http.kind_dependencies import ChooseModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import choose_model, stored_request
from gencode.pipelines.code_review.api.request import CodeReviewRequest
from gencode.pipelines.code_review.messages import first_message
from gencode.pipelines.code_review.requirements import RequiredText, fitting
from gencode.pipelines.code_review.sources import patch_of
from gencode.reviewhosts.errors import PostingUnavailable
from gencode.workspace.code_diffs.errors import DiffNotReady
from gencode.workspace.code_diffs.store import CodeDiffs
from gencode.workspace.prompt_templates.placeholders import render
from gencode.workspace.prompt_templates.resource import PROMPT_TEMPLATES, PromptCategory
from gencode.workspace.repositories.change_requests import ChangeRequests
from gencode.workspace.repositories.errors import RepositoryUnusable
from gencode.workspace.repositories.resource import GIT_REPOSITORIES
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.workspace import Workspace

_LONG_FIELDS = ("patch", "instructions", "variables", "requirements")
"""Fields of the stored request that are not in the task's row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """subject  of reviews of the branch: None for a commit, which is reviewed once
    title    what people call it
    """

    repository_id: str | None = None
    subject: str | None = None
    title: str | None = None


class Preparation:
    def __init__(
        self,
        workspace: Workspace,
        sync: RepositorySync,
        diffs: CodeDiffs,
        changes: ChangeRequests,
        choose: ChooseModel,
    ) -> None:
        self._workspace = workspace
        self._diffs = diffs
        self._sync = sync
        self._changes = changes
        self._choose = choose

    async def __call__(self, request: CodeReviewRequest, submitter: Submitter) -> PreparedTask:
        """Raises Invalid, also for a patch that cannot be read."""
        model = await choose_model(request, submitter, self._choose)
        instructions = await self._instructions(request, submitter)
        source = await self._source(request, submitter)
        post = await self._post(request, source.repository_id, submitter)
        subject = f"{post['repository_id']}#{post['change']}" if post else None
        stored = {
            **stored_request(request),
            **model.parameters(),
            "asked_model": request.model,
            "language": request.language or submitter.language,
            "instructions": instructions,
            "subject": request.subject or source.subject or subject,
            "title": request.subject or source.title,
            "post": post,
            "requirements": await self._requirements(request, submitter),
        }
        if request.patch is not None:
            await anyio.to_thread.run_sync(patch_of, stored)
        return PreparedTask(
            request=stored,
            parameters={name: value for name, value in stored.items() if name not in _LONG_FIELDS},
            message=first_message(submitter.language),
        )

    async def _source(self, request: CodeReviewRequest, submitter: Submitter) -> _Source:
        if request.code_diff_id is not None:
            return await self._source_of_diff(request.code_diff_id, submitter)
        if request.repository_id is None:
            return _Source()
        try:
            row = await self._sync.active(request.repository_id, submitter.principal.id)
        except RepositoryUnusable as error:
            raise Invalid.of("repository_id", "usable", error.message) from None
        return _source_of(row.id, row.name, request.head)

    async def _source_of_diff(self, row_id: str, submitter: Submitter) -> _Source:
        principal = submitter.principal.id
        try:
            row = await self._diffs.completed(row_id, principal)
        except (NotFound, DiffNotReady) as error:
            raise Invalid.of("code_diff_id", "usable", error.message) from None
        if row.repository_id is None:
            return _Source(title=row.name)
        try:
            repository = await self._workspace.resource(GIT_REPOSITORIES).get(row.repository_id, principal)
        except NotFound:  # it was deleted; the diff stays
            return replace(_source_of(row.repository_id, "", row.source_ref), title=row.name)
        return _source_of(row.repository_id, repository.name, row.source_ref)

    async def _post(
        self, request: CodeReviewRequest, repository_id: str | None, submitter: Submitter
    ) -> dict[str, Any] | None:
        """With the repository that is meant. Raises Invalid for one that reviews cannot be posted to."""
        if request.post is None:
            return None
        target = request.post.repository_id or repository_id
        if target is None:
            raise Invalid.of("post.repository_id", "required", "the diff has no repository: name one")
        try:
            await self._changes.check(target, submitter.principal.id)
        except PostingUnavailable as error:
            raise Invalid.of("post", "usable", error.message) from None
        return {**request.post.model_dump(), "repository_id": target}

    async def _requirements(self, request: CodeReviewRequest, submitter: Submitter) -> list[dict[str, Any]]:
        """As they are now."""
        if request.requirement_document_id is None:
            return []
        documents = RequirementDocuments(self._workspace.database)
        field = "requirement_document_id"
        try:
            found = await documents.requirements(request.requirement_document_id, submitter.principal.id)
        except NotFound as error:
            raise Invalid.of(field, "not_found", error.message) from None
        if not found:
            raise Invalid.of(
                field, "analysed", "has no requirements: submit a requirement_analysis of it first"
            )
        given = (
            RequiredText(id=one.id, statement=one.statement, criteria=tuple(one.acceptance_criteria))
            for one in found
        )
        return [one.model_dump(mode="json") for one in fitting(given)]

    async def _instructions(self, request: CodeReviewRequest, submitter: Submitter) -> str:
        """The rendered template as it is now."""
        if request.template_id is None:
            return ""
        templates = self._workspace.resource(PROMPT_TEMPLATES)
        try:
            row = await templates.get(request.template_id, submitter.principal.id)
        except NotFound as error:
            raise Invalid.of("template_id", "not_found", error.message) from None
        if row.category != PromptCategory.CODE_REVIEW:
            raise Invalid.of("template_id", "category", "is of another category than code_review")
        return render(row.content, request.variables)


def _source_of(repository_id: str, name: str, ref: str | None) -> _Source:
    is_commit = ref is None or re.fullmatch(r"[0-9a-f]{7,40}", ref)
    return _Source(
        repository_id=repository_id,
        subject=None if is_commit else f"{repository_id}/{ref}",
        title=f"{name}/{ref}" if ref else name,
    )


def submitted(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stored request with the model that was asked for in place of the chosen one."""
    return {**stored, "model": stored.get("asked_model")}
