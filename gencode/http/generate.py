"""POST /api/v1/generate: accept a task."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import IdempotencyKeyReused, QueueFull
from gencode.domain.task import PENDING, Task
from gencode.engine.store import IdempotencyKey
from gencode.http.links import api, status_url, task_url
from gencode.http.operation import operation
from gencode.http.parameters import Parameter, Text
from gencode.http.responses import Header, JsonResponseSpec
from gencode.http.schemas import SUBMISSION, GenerateRequest
from gencode.http.services import get_services
from gencode.http.submission import digest, submit
from gencode.http.traits import LOCATION, RATE_LIMITED
from gencode.http.views import Accepted
from gencode.pipelines.generate.messages import LANGUAGES, status_text

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


@operation(
    "generate",
    "POST /generate",
    "Submit a prompt",
    traits=(RATE_LIMITED,),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=SUBMISSION,
    responses=(ACCEPTED,),
    errors=(IdempotencyKeyReused, QueueFull),
)
async def generate(request: Request) -> Response:
    """202 once the task is committed to the store; never before."""
    services, client = get_services(request), request.state.client
    headers = await services.rate.spend(client)
    asked = await SUBMISSION.read(request)
    key = _idempotency_key(request, asked)
    task, replayed = await submit(services, asked, client, _language(request), key)
    return _accepted(request, task, headers, replayed=replayed)


def _accepted(request: Request, task: Task, headers: Mapping[str, str], *, replayed: bool) -> Response:
    """The answer to a repeated key is the first one, whatever has become of the task since."""
    model = str(task.parameters["model"])
    answer = Accepted(
        task_id=task.id,
        status=PENDING,
        message=status_text(PENDING, task.language, model),
        model=model,
        status_url=status_url(api(request), task.id),
        task_url=task_url(api(request), task.id),
    )
    more = {"Location": answer.task_url, "Idempotency-Replayed": str(replayed).lower()}
    return ACCEPTED.make(answer, {**headers, **more})


def _idempotency_key(request: Request, asked: GenerateRequest) -> IdempotencyKey | None:
    if (value := IDEMPOTENCY_KEY.read(request)) is None:
        return None
    return IdempotencyKey(principal=request.state.client, value=value, digest=digest(asked))


def _language(request: Request) -> str:
    """The first language of Accept-Language that we have, else the LANGUAGE setting."""
    for entry in ACCEPT_LANGUAGE.read(request).split(","):
        primary = entry.partition(";")[0].strip().lower().partition("-")[0]
        if primary in LANGUAGES:
            return primary
    return get_services(request).language
