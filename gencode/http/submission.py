"""A request becomes a task: the same rules at every door."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from gencode.domain.callback import Callback
from gencode.domain.errors import Invalid
from gencode.domain.principal import LOCAL, Principal, PrincipalKind
from gencode.domain.task import PENDING, Task, now
from gencode.engine.ids import new_id
from gencode.engine.store import IdempotencyKey
from gencode.http.schemas import GenerateRequest, check_cache, check_deadline
from gencode.http.services import ChosenModel, Services
from gencode.notifications.url_policy import UrlRefused
from gencode.pipelines.generate.messages import offline_note, status_text

MakeCallback = Callable[[str], Awaitable[Callback]]
"""Of a task's id."""


async def submit(
    services: Services,
    asked: GenerateRequest,
    client: str,
    language: str,
    key: IdempotencyKey | None = None,
    callback: MakeCallback | None = None,
) -> tuple[Task, bool]:
    """The task, once it is stored, and whether it was before: then it is the first one of this key.

    callback   whom to tell of it, in place of the request's `callback_url`

    Raises Invalid, KeyReused, QueueFull, ShuttingDown, StoreError; nothing is stored then.
    """
    # A known key first: what was accepted once is answered, however full the line or late the hour.
    if key and (known := await services.store.find_by_key(key)):
        return known, True
    check_deadline(asked)
    check_cache(asked, on=services.caching)
    host = services.choose_host(asked.host, asked.github_org, asked.repo_name)
    model = services.choose_model(asked.model)
    # callback_url can hold a secret, and the request is shown.
    body = asked.model_dump(mode="json", exclude={"callback_url"})
    request = {**body, "model": model.name, "host": host, "asked_model": asked.model}
    task = replace(_task(request, model, client, language), trace=services.tracer.traceparent())
    told = await callback(task.id) if callback else await _callback(services, asked, task.id)
    stored = await services.task_service.submit(task, request, key, told, may_pause=asked.approve_plan)
    if told:
        services.notifications.dispatcher.wake()
    return stored, stored.id != task.id


def digest(asked: GenerateRequest) -> str:
    """Of the body, for an IdempotencyKey. Without defaults, so that a field which a later version adds
    changes no digest."""
    body = json.dumps(asked.model_dump(mode="json", exclude_defaults=True), sort_keys=True).encode()
    return hashlib.sha256(body).hexdigest()


def _task(request: Mapping[str, Any], model: ChosenModel, client: str, language: str) -> Task:
    moment = now()
    message = status_text(PENDING, language, model.name)
    return Task(
        id=new_id(),
        kind="generate",
        principal=_principal(client),
        parameters={name: value for name, value in request.items() if name != "prompt"},
        language=language,
        message=message + (offline_note(language) if model.stands_in else ""),
        created_at=moment,
        updated_at=moment,
    )


def _principal(client: str) -> Principal:
    if client == LOCAL.id:
        return LOCAL
    kind = PrincipalKind.SERVICE if client.startswith(("slack:", "mattermost:")) else PrincipalKind.API_KEY
    return Principal(id=client, kind=kind)


async def _callback(services: Services, asked: GenerateRequest, task_id: str) -> Callback | None:
    if asked.callback_url is None:
        return None
    try:
        return await services.notifications.webhooks.callback(task_id, asked.callback_url)
    except UrlRefused as error:
        problem = {"field": "callback_url", "rule": "address", "message": str(error)}
        raise Invalid(f"callback_url: {error}", [problem]) from None
