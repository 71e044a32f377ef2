"""POST /api/v1/estimate: the probable cost of a request. No model is called."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.principal import Principal
from gencode.domain.task import State, Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.llm.port import Usage
from gencode.model_tasks.request import check_deadline, check_max_cost
from gencode.pipelines.generate.api.preparation import chosen_template
from gencode.pipelines.generate.api.request import (
    PATTERN_MESSAGES,
    GenerateRequest,
    check_cache,
)
from gencode.pipelines.generate.api.services import GenerateServices
from gencode.pipelines.generate.api.views import RequestEstimateView
from gencode.pipelines.generate.estimate import estimate as make_estimate
from gencode.pipelines.generate.estimate import total_usage

MAX_SEARCHED = 100
"""Completed tasks among which those with the same model are searched."""
MAX_SAMPLES = 20
"""The most of these that are used; for each, the end of its log is read."""
LAST_EVENTS = 40
"""The newest usage event is usually among the last 40: few follow it, from the merging to the push."""
RATE = "estimate"
"""Estimates have a rate limit of their own, as high as that of submissions."""

SUBMISSION = JsonBody(model=GenerateRequest, pattern_messages=PATTERN_MESSAGES)
ESTIMATED = JsonResponseSpec(model=RequestEstimateView, description="Nothing was stored, no model was asked")


@operation(
    "estimate",
    "POST /estimate",
    "What a prompt would probably cost",
    traits=(RATE_LIMITED,),
    body=SUBMISSION,
    responses=(ESTIMATED,),
)
async def estimate(request: Request) -> Response:
    """Takes what /generate takes, and refuses what it refuses."""
    services, principal = get_extension(request, GenerateServices), get_principal(request)
    headers = await get_services(request).rate.spend(principal.id, RATE)
    submission = await SUBMISSION.read(request)
    check_deadline(submission)
    check_cache(submission, is_enabled=services.is_cache_enabled)
    chosen = await services.choose_model(submission.model, principal.id)
    model = chosen.name
    check_max_cost(submission, model, chosen.price)
    history = await _history(services, principal, model)
    made = make_estimate(submission.prompt, model, history, chosen.price)
    template = chosen_template(chosen, submission.prompt)
    view = RequestEstimateView.model_validate({**made.model_dump(), "template": template})
    return ESTIMATED.make(view, headers)


async def _history(services: GenerateServices, principal: Principal, model: str) -> list[Usage]:
    """Usages of the principal's own tasks, so that the estimate does not reveal the costs of others."""
    query = TaskQuery(principal=principal.id, kind="generate", states=[State.SUCCEEDED], limit=MAX_SEARCHED)
    async with services.checkpoint_reader.reads.hold(principal.id):
        tasks = [task for task in await services.store.find(query) if task.parameters.get("model") == model]
        found = [await task_usage(services.store, task) for task in tasks[:MAX_SAMPLES]]
    return [usage for usage in found if usage]


async def task_usage(store: Store, task: Task) -> Usage | None:
    """The total usage of a task. The end of the log is read first, because a log may have thousands of
    events."""
    last = await store.events(task.id, max(0, task.sequence - LAST_EVENTS))
    return total_usage(last) or total_usage(await store.events(task.id))
