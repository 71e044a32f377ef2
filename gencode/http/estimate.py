"""POST /api/v1/estimate: what a request would probably cost. No model is asked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.task import State, Task
from gencode.engine.store import Store, TaskQuery
from gencode.http.operation import operation
from gencode.http.responses import JsonResponseSpec
from gencode.http.schemas import SUBMISSION, check_cache, check_deadline
from gencode.http.services import get_services
from gencode.http.views import EstimateView
from gencode.llm.port import Usage
from gencode.pipelines.generate.estimate import estimate as make_estimate
from gencode.pipelines.generate.estimate import total_usage

LOOKED_AT = 100
"""Completed tasks among which those with the same model are looked for."""
ENOUGH = 20
"""Of these; each costs reading the end of its log."""
END = 40
"""Events of a log that usually hold the newest account: few follow it, from the merging to the push."""


ESTIMATED = JsonResponseSpec(model=EstimateView, description="Nothing was stored, no model was asked")


@operation(
    "estimate",
    "POST /estimate",
    "What a prompt would probably cost",
    body=SUBMISSION,
    responses=(ESTIMATED,),
)
async def estimate(request: Request) -> Response:
    """Takes what /generate takes, and refuses what it refuses."""
    asked = await SUBMISSION.read(request)
    check_deadline(asked)
    check_cache(asked, on=get_services(request).caching)
    model = get_services(request).choose_model(asked.model).name
    made = make_estimate(
        asked.prompt, model, await _history(request, model), get_services(request).price(model)
    )
    return ESTIMATED.make(EstimateView(**made.model_dump()))


async def _history(request: Request, model: str) -> list[Usage]:
    """Of the client's own tasks: what others' cost is not to be guessed from here."""
    services = get_services(request)
    query = TaskQuery(principal=request.state.client, states=[State.SUCCEEDED], limit=LOOKED_AT)
    async with services.checkpoint_readers:
        alike = [task for task in await services.store.find(query) if task.parameters.get("model") == model]
        found = [await newest_account(services.store, task) for task in alike[:ENOUGH]]
    return [usage for usage in found if usage]


async def newest_account(store: Store, task: Task) -> Usage | None:
    """What a task used in all, by the end of its log if that tells: it may be thousands of events long."""
    end = await store.events(task.id, max(0, task.sequence - END))
    return total_usage(end) or total_usage(await store.events(task.id))
