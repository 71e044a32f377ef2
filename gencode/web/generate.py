"""POST /api/v1/generate: accept a task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from gencode.engine.ids import new_id
from gencode.errors import Invalid
from gencode.pipelines.generate.messages import LANGUAGES, offline_note, status_text
from gencode.store import IdempotencyKey
from gencode.task import Status, Task, now
from gencode.web.answers import Accepted
from gencode.web.links import api, status_url, task_url
from gencode.web.parts import Model, parts
from gencode.web.schemas import GenerateRequest, check_cache, check_deadline, read_json, well_formed


async def generate(request: Request) -> Response:
    """202 once the task is committed to the store; never before."""
    its = parts(request)
    headers = await its.rate.spend(request.state.client)
    asked = well_formed(await read_json(request))
    key = _idempotency_key(request, asked)
    # A known key first: what was accepted once is answered, however full the line or late the hour.
    if key and (known := await its.store.named(key)):
        return _accepted(request, known, headers, replayed=True)
    check_deadline(asked)
    check_cache(asked, on=its.caching)
    host = its.choose_host(asked.host, asked.github_org)
    task = _task(request, asked, its.choose_model(asked.model), host)
    stored = await its.manager.submit(task, key)
    return _accepted(request, stored, headers, replayed=stored.id != task.id)


def _task(request: Request, asked: GenerateRequest, model: Model, host: str) -> Task:
    language = _language(request)
    moment = now()
    message = status_text(Status.PENDING, language, model.name)
    chosen = {"model": model.name, "host": host}
    return Task(
        id=new_id(),
        kind="generate",
        client=request.state.client,
        request={**asked.model_dump(mode="json"), **chosen, "asked_model": asked.model},
        language=language,
        message=message + (offline_note(language) if model.stands_in else ""),
        created_at=moment,
        updated_at=moment,
    )


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
    # Without defaults, so that a field which a later version adds changes no digest.
    body = json.dumps(asked.model_dump(mode="json", exclude_defaults=True), sort_keys=True).encode()
    return IdempotencyKey(client=request.state.client, value=value, digest=hashlib.sha256(body).hexdigest())


def _language(request: Request) -> str:
    """The first language of Accept-Language that we have, else the LANGUAGE setting."""
    for entry in request.headers.get("accept-language", "").split(","):
        primary = entry.partition(";")[0].strip().lower().partition("-")[0]
        if primary in LANGUAGES:
            return primary
    return parts(request).language
