"""From a valid request to what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.domain.task import PENDING
from gencode.http.kinds import PreparedTask
from gencode.pipelines.generate.api.request import (
    GenerateRequest,
    RetryRequest,
    check_cache,
    check_deadline,
    check_max_cost,
)
from gencode.pipelines.generate.api.services import GenerateServices
from gencode.pipelines.generate.messages import offline_note, status_text

_LONG_FIELDS = ("prompt",)
"""They are in the request only, not in the task's row."""


def prepare(services: GenerateServices, request: GenerateRequest, language: str) -> PreparedTask:
    """Raises Invalid for a passed deadline, an unknown model or host, a cache that is off, and a limit of the
    cost of a model without a price."""
    check_deadline(request)
    check_cache(request, is_enabled=services.is_cache_enabled)
    host = services.choose_host(request.host, request.github_org, request.repo_name)
    model = services.choose_model(request.model)
    check_max_cost(request, model.name, services.price)
    # callback_url can contain a secret, and the request is shown.
    body = request.model_dump(mode="json", exclude={"callback_url"})
    stored = {**body, "model": model.name, "host": host, "asked_model": request.model}
    message = status_text(PENDING, language, model.name)
    return PreparedTask(
        request=stored,
        parameters={name: value for name, value in stored.items() if name not in _LONG_FIELDS},
        message=message + (offline_note(language) if model.is_fallback else ""),
        may_pause=request.approve_plan,
    )


def retry_changes(request: RetryRequest) -> Mapping[str, Any]:
    """Raises Invalid for a passed deadline."""
    check_deadline(request)
    changes: Mapping[str, Any] = request.model_dump(mode="json", exclude_unset=True)
    return changes
