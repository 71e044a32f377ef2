"""From a valid request to what is stored, and the changes of a retry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import anyio.to_thread
from starlette.requests import Request

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.task import Task
from gencode.engine.ports.store import Store
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.dependencies import own_task
from gencode.http.kind_dependencies import ChooseModel, task_price
from gencode.http.kinds import PreparedTask, Submitter
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.request import (
    LimitsRetry,
    check_deadline,
    check_max_cost,
    choose_model,
    stored_request,
)
from gencode.pipelines.test_generation.api.request import TestGenerationRequest, check_request
from gencode.pipelines.test_generation.messages import accepted
from gencode.pipelines.test_generation.names import NAME
from gencode.workspace.repositories.errors import RepositoryUnusable
from gencode.workspace.repositories.sync import RepositorySync

_LONG_FIELDS = ("files", "patch", "functions", "requirements")


@dataclass(frozen=True, kw_only=True, slots=True)
class TestGenerationServices:
    """What submissions and this kind's endpoints need. `is_off`: whether the sandbox is."""

    __test__ = False

    checkpoint_reader: CheckpointReader
    choose_model: ChooseModel
    price: FindPrice
    store: Store
    sync: RepositorySync
    is_off: bool


async def prepare(
    services: TestGenerationServices, request: TestGenerationRequest, submitter: Submitter
) -> PreparedTask:
    """Raises Invalid."""
    await anyio.to_thread.run_sync(check_request, request)
    await _check_repository(services, request, submitter)
    model = await choose_model(request, submitter, services.choose_model)
    stored = {**stored_request(request), **model.parameters(), "asked_model": request.model}
    parameters = {name: value for name, value in stored.items() if name not in _LONG_FIELDS}
    return PreparedTask(
        request=stored,
        parameters={**parameters, "sources": len(request.files)},
        message=accepted(submitter.language, model.name, services.is_off),
    )


async def _check_repository(
    services: TestGenerationServices, request: TestGenerationRequest, submitter: Submitter
) -> None:
    """Raises Invalid for a repository that the principal cannot use."""
    if request.repository_id is None:
        return
    try:
        await services.sync.active(request.repository_id, submitter.principal.id)
    except RepositoryUnusable as error:
        raise Invalid.of("repository_id", "usable", error.message) from None


def submitted(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stored request with the requested model in place of the chosen one, and the cost without an
    exponent, which the schema does not have."""
    cost = stored.get("max_cost")
    return {
        **stored,
        "model": stored.get("asked_model", stored.get("model")),
        "max_cost": f"{Decimal(cost):f}" if cost is not None else None,
    }


def retry_changes(services: TestGenerationServices, task: Task, request: LimitsRetry) -> Mapping[str, Any]:
    """Raises Invalid."""
    check_deadline(request)
    check_max_cost(request, str(task.parameters["model"]), task_price(task.parameters, services.price))
    return request.model_dump(mode="json", exclude_unset=True)


async def own_test_task(request: Request) -> Task:
    """The task of the path. Raises NotFound for another principal's, and for one of another kind."""
    task = await own_task(request)
    if task.kind != NAME:
        raise NotFound(f"a task of kind {task.kind[:100]!r} has no tests")
    return task
