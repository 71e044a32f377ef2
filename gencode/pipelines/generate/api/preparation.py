"""Prepares a valid request: the stored request, parameters and message of a task, and the changes of a
retry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.domain.task import PENDING, Task
from gencode.http.kind_dependencies import ChosenModel
from gencode.http.kinds import PreparedTask, Submitter
from gencode.model_tasks.request import check_deadline, check_max_cost, limits_changes, stored_request
from gencode.pipelines.generate.api.request import (
    GenerateRequest,
    RetryRequest,
    check_cache,
)
from gencode.pipelines.generate.api.services import GenerateServices
from gencode.pipelines.generate.messages import status_text, template_note

_LONG_FIELDS = ("prompt",)
"""Fields that are stored in the request only, not in the task's row."""
_PLACE = ("repo_name", "github_org")
"""Fields by which a retry may change where the repository is created."""


async def prepare(services: GenerateServices, request: GenerateRequest, submitter: Submitter) -> PreparedTask:
    """Raises Invalid for a passed deadline, an unknown model or host, a cache that is off, and a limit of the
    cost of a model without a price."""
    check_deadline(request)
    check_cache(request, is_enabled=services.is_cache_enabled)
    host = services.choose_host(request.host, request.github_org, request.repo_name)
    model = await services.choose_model(request.model, submitter.principal.id)
    check_max_cost(request, model.name, model.price)
    language = submitter.language
    stored = {**stored_request(request), **model.parameters(), "host": host, "asked_model": request.model}
    message = status_text(PENDING, language, model.name)
    if template := chosen_template(model, request.prompt):
        stored["template"] = template
        message += template_note(language, template, model.name)
    return PreparedTask(
        request=stored,
        parameters={name: value for name, value in stored.items() if name not in _LONG_FIELDS},
        message=message,
        may_pause=request.approve_plan,
        reservation=await services.limits.reservation(submitter.principal),
    )


def chosen_template(model: ChosenModel, prompt: str) -> Mapping[str, Any] | None:
    """A TaskTemplate in JSON; None of a language model."""
    if not model.template:
        return None
    return {**asdict(model.template(prompt)), "is_fallback": model.is_fallback}


def retry_changes(services: GenerateServices, task: Task, request: RetryRequest) -> Mapping[str, Any]:
    """Raises Invalid for a limit of the cost of a model without a price, a name that the host does not allow,
    and for another name when a repository has been created: the task's commit belongs into that one."""
    changes = dict(limits_changes(services.price, task, request))
    if request.repo_name is None:
        changes.pop("repo_name", None)
    _check_place(services, task, {**task.parameters, **changes})
    return changes


def _check_place(services: GenerateServices, task: Task, changed: Mapping[str, Any]) -> None:
    """Raises Invalid. A task that is older than named hosts has no `host`: it is for the default one."""
    moved = [name for name in _PLACE if changed.get(name) != task.parameters.get(name)]
    if not moved:
        return
    if url := task.result.get("repo_url"):
        raise Invalid.of(
            moved[0],
            "created",
            Phrase(
                "the repository {url} has been created for this task already: retry without "
                "another name, or submit a new task",
                url=url,
            ),
        )
    services.choose_host(changed.get("host"), changed.get("github_org"), str(changed["repo_name"]))
