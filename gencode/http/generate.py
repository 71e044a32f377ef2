"""POST /api/v1/generate: accept a task."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Invalid
from gencode.domain.task import Status, Task
from gencode.engine.store import IdempotencyKey
from gencode.http.links import api, status_url, task_url
from gencode.http.schemas import GenerateRequest, read_json, well_formed
from gencode.http.services import get_services
from gencode.http.submission import digest, submit
from gencode.http.views import Accepted
from gencode.pipelines.generate.messages import LANGUAGES, status_text


async def generate(request: Request) -> Response:
    """202 once the task is committed to the store; never before."""
    services, client = get_services(request), request.state.client
    headers = await services.rate.spend(client)
    asked = well_formed(await read_json(request))
    key = _idempotency_key(request, asked)
    task, replayed = await submit(services, asked, client, _language(request), key)
    return _accepted(request, task, headers, replayed=replayed)


def _accepted(request: Request, task: Task, headers: Mapping[str, str], *, replayed: bool) -> Response:
    """The answer to a repeated key is the first one, whatever has become of the task since."""
    model = str(task.request["model"])
    answer = Accepted(
        task_id=task.id,
        status=Status.PENDING,
        message=status_text(Status.PENDING, task.language, model),
        model=model,
        status_url=status_url(api(request), task.id),
        task_url=task_url(api(request), task.id),
    )
    more = {"Location": answer.task_url, "Idempotency-Replayed": str(replayed).lower()}
    return answer.response(202, {**headers, **more})


def _idempotency_key(request: Request, asked: GenerateRequest) -> IdempotencyKey | None:
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    if not (0 < len(value) <= 255 and value.isprintable()):
        rule = "1 to 255 printable characters"
        raise Invalid(
            f"Idempotency-Key: {rule}", [{"field": "Idempotency-Key", "rule": "format", "message": rule}]
        )
    return IdempotencyKey(client=request.state.client, value=value, digest=digest(asked))


def _language(request: Request) -> str:
    """The first language of Accept-Language that we have, else the LANGUAGE setting."""
    for entry in request.headers.get("accept-language", "").split(","):
        primary = entry.partition(";")[0].strip().lower().partition("-")[0]
        if primary in LANGUAGES:
            return primary
    return get_services(request).language
