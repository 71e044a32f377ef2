"""The POST operation that submits tasks of a kind, made from the kind's declaration."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import IdempotencyKeyReused, QueueFull, QuotaExceeded
from gencode.domain.task import PENDING
from gencode.engine.ports.store import IdempotencyKey
from gencode.http.accept_language import preferred_language
from gencode.http.base_models import TaskRequest
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import LOCATION, RATE_LIMITED
from gencode.http.dependencies import get_principal, get_services
from gencode.http.kinds import LANGUAGES, Kind
from gencode.http.links import api
from gencode.http.operation import Operation, operation
from gencode.http.parameter_types import Parameter, Text
from gencode.http.response_specs import Header, JsonResponseSpec
from gencode.http.submission import Submitted, request_digest, submit
from gencode.http.task_models import Accepted, accepted

IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    location="header",
    description="The same key and body: the first answer",
    type=Text(
        pattern=r"^[ -~]{1,255}$",
        check=lambda key: 0 < len(key) <= 255 and key.isprintable(),
        message="1 to 255 printable characters",
    ),
    default=None,
)
ACCEPT_LANGUAGE = Parameter(
    name="Accept-Language",
    location="header",
    description="en or zh: the language of messages",
    type=Text(),
    default="",
)
REPLAYED = Header(
    name="Idempotency-Replayed", description="Whether the key was known", schema={"enum": ["true", "false"]}
)
ACCEPTED = JsonResponseSpec(
    status=202, model=Accepted, description="The task is stored", headers=(LOCATION, REPLAYED)
)
SUBMISSION_ERRORS = (IdempotencyKeyReused, QuotaExceeded, QueueFull)
"""Of every operation that submits a task."""


def submit_operation(kind: Kind) -> Operation:
    """Responds with 202 after the task is committed to the store, never before."""
    body = JsonBody(model=kind.request_model, pattern_messages=kind.submission.pattern_messages)

    @operation(
        kind.submission.operation_id,
        f"POST {kind.submission.path}",
        kind.submission.summary,
        traits=(RATE_LIMITED,),
        parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
        body=body,
        responses=(ACCEPTED,),
        errors=(*SUBMISSION_ERRORS, *kind.submission.errors),
    )
    async def submit_task(request: Request) -> Response:
        rate_headers = await get_services(request).rate.spend(get_principal(request).id)
        submission = await body.read(request)
        return accepted_response(request, await submit_for(request, kind.name, submission), rate_headers)

    return submit_task


async def submit_for(request: Request, kind: str, submission: TaskRequest) -> Submitted:
    """Submits a task of this kind for the request's principal; for operations that submit tasks besides what
    else they do. Raises the errors of `submit`."""
    return await submit(
        get_services(request),
        kind,
        submission,
        get_principal(request),
        request_language(request),
        idempotency_key(request, submission),
    )


def idempotency_key(request: Request, submission: TaskRequest) -> IdempotencyKey | None:
    """The idempotency key of the request; None without one. Raises Invalid."""
    if (value := IDEMPOTENCY_KEY.read(request)) is None:
        return None
    return IdempotencyKey(principal=get_principal(request).id, value=value, digest=request_digest(submission))


def accepted_response(request: Request, submitted: Submitted, rate_headers: dict[str, str]) -> Response:
    """The response; for a repeated key it equals the first one, regardless of the task's present status."""
    task = submitted.task
    view = accepted(task, api(request), PENDING, get_services(request).kinds.first_message(task))
    more = {"Location": view.task_url, "Idempotency-Replayed": str(submitted.is_replay).lower()}
    return ACCEPTED.make(view, {**rate_headers, **more})


def request_language(request: Request) -> str:
    """The language of the service that Accept-Language prefers, else the LANGUAGE setting."""
    return preferred_language(ACCEPT_LANGUAGE.read(request), LANGUAGES, get_services(request).language)
