"""POST /api/v1/estimate: what a request would probably cost. No model is asked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.pipelines.generate.estimate import estimate as make_estimate
from gencode.pipelines.generate.estimate import used
from gencode.provider import Usage
from gencode.store import Query
from gencode.task import Status
from gencode.web.answers import EstimateView
from gencode.web.parts import parts
from gencode.web.schemas import check_cache, parse_generate, read_json

LOOKED_AT = 100
"""Completed tasks among which those with the same model are looked for."""
ENOUGH = 20
"""Of these; each costs reading its log."""


async def estimate(request: Request) -> Response:
    """Takes what /generate takes, and refuses what it refuses."""
    asked = parse_generate(await read_json(request))
    check_cache(asked, on=parts(request).caching)
    model = parts(request).choose_model(asked.model).name
    made = make_estimate(asked.prompt, model, await _history(request, model), parts(request).price(model))
    return EstimateView(**made.model_dump()).response()


async def _history(request: Request, model: str) -> list[Usage]:
    """Of the client's own tasks: what others' cost is not to be guessed from here."""
    store = parts(request).store
    query = Query(client=request.state.client, statuses=[Status.COMPLETED], limit=LOOKED_AT)
    alike = [task for task in await store.find(query) if task.request.get("model") == model]
    found = [used(await store.events(task.id)) for task in alike[:ENOUGH]]
    return [usage for usage in found if usage]
