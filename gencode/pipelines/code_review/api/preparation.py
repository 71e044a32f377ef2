"""From a valid request to the stored task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio.to_thread

from gencode.domain.errors import Invalid, NotFound
from gencode.http.kind_dependencies import ChooseModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import choose_model, stored_request
from gencode.pipelines.code_review.api.request import CodeReviewRequest
from gencode.pipelines.code_review.collecting import patch_of
from gencode.pipelines.code_review.messages import first_message
from gencode.workspace.prompt_templates.placeholders import render
from gencode.workspace.prompt_templates.resource import PROMPT_TEMPLATES, PromptCategory
from gencode.workspace.workspace import Workspace

_LONG_FIELDS = ("patch", "instructions", "variables")
"""Fields of the stored request that are not in the task's row."""


class Preparation:
    def __init__(self, workspace: Workspace, choose: ChooseModel) -> None:
        self._workspace = workspace
        self._choose = choose

    async def __call__(self, request: CodeReviewRequest, submitter: Submitter) -> PreparedTask:
        """Raises Invalid, also for a patch that cannot be read."""
        model = await choose_model(request, submitter, self._choose)
        instructions = await self._instructions(request, submitter)
        stored = {
            **stored_request(request),
            **model.parameters(),
            "asked_model": request.model,
            "language": request.language or submitter.language,
            "instructions": instructions,
        }
        await anyio.to_thread.run_sync(patch_of, stored)
        return PreparedTask(
            request=stored,
            parameters={name: value for name, value in stored.items() if name not in _LONG_FIELDS},
            message=first_message(submitter.language),
        )

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


def submitted(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stored request with the model that was asked for in place of the chosen one."""
    return {**stored, "model": stored.get("asked_model")}
