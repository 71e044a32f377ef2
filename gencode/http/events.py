"""GET /api/v1/status/{task_id}: a task's log as server-sent events."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Malformed
from gencode.domain.event import encode_live
from gencode.domain.task import Task
from gencode.http.event_stream import EventStream
from gencode.http.operation import operation
from gencode.http.parameters import InvalidText, JsonSchema, Parameter, Text, malformed
from gencode.http.responses import ResponseSpec
from gencode.http.services import get_services, own_task
from gencode.http.traits import OWN_TASK
from gencode.http.views import progress_view
from gencode.llm.progress import ProgressRegistry, ProgressSnapshot

STREAM = """\
Server-sent events. Each stored event has an id; ids count 1, 2, 3, ... within the task, without a gap.

- `status`: `{"status", "message", "at", ...}`, with `repo_url` once it is known
- `error`: `{"status": "failed", "code", "message", "retryable"}`, after the `status` event `failed`
- `approval`, `approved`: a plan waits for `POST /api/v1/task/{task_id}/approve`, or no longer
- `plan`, `file`, `usage`, `retry`, `findings`, `merged`, `repo`, `pushed`, `resumed`: detail; more may come
- `progress`: how far the task is, each second while that changes, only with `?include=progress`; no id
- `delta`: what the model is writing, only with `?include=delta`; has no id and is not stored

Comments keep an idle stream open. After the last event the server ends the stream; who reconnects then
gets 204, which tells EventSource to stop.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Position:
    """The id of an event; empty: none."""

    shown: JsonSchema

    def schema(self) -> JsonSchema:
        return self.shown

    def parse(self, text: str) -> int | None:
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise InvalidText("format", "Last-Event-ID and ?after= take the id of an event: a whole number")
        return int(text)


LAST_EVENT_ID = Parameter(
    name="Last-Event-ID",
    location="header",
    description="Go on after this event",
    type=_Position(shown={"type": "string", "pattern": r"^[0-9]{0,18}$"}),
    default=None,
    on_invalid=malformed,
)
AFTER = Parameter(
    name="after",
    location="query",
    description="The same, where a header cannot be sent",
    type=_Position(shown={"type": "integer", "minimum": 0}),
    default=None,
    on_invalid=malformed,
)
INCLUDE = Parameter(
    name="include",
    location="query",
    description="delta: what the model is writing; progress: how far it is; or both, with a comma",
    type=Text(),
    default="",
)
EVENTS = ResponseSpec(
    description=STREAM,
    media_type="text/event-stream",
    schema={
        "type": "object",
        "properties": {
            "event": {"type": "string"},
            "id": {"type": "string", "pattern": "^[0-9]*$"},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "description": "Each event",  # as a parser of event streams gives it
    },
)
OVER = ResponseSpec(status=204, description="The task is over and the client has heard it all")


@operation(
    "followTask",
    "GET /status/{task_id}",
    "A task's events",
    traits=(OWN_TASK,),
    parameters=(LAST_EVENT_ID, AFTER, INCLUDE),
    responses=(EVENTS, OVER),
    security=("ticket",),
)
async def status(request: Request) -> Response:
    """All events after the client's last one, then new ones as they happen, until the task is over.

    204 tells a client that reconnects after the end to stop (WHATWG HTML, 9.2.3).
    """
    services = get_services(request)
    task = await own_task(request)
    after = _position(request, task)
    if task.state.is_terminal and after == task.sequence and after:
        return Response(status_code=204)
    include = INCLUDE.read(request).split(",")
    more = (
        [(services.progress_ticker, _Teller(services.progress_registry, task.id))]
        if "progress" in include
        else []
    )
    return EventStream(services.hub.subscribe(task.id, after, "delta" in include), services.ticker, *more)


class _Teller:
    """Says how far a task is, when that has changed since."""

    def __init__(self, progress_registry: ProgressRegistry, task_id: str) -> None:
        self._progress_registry = progress_registry
        self._task_id = task_id
        self._said: ProgressSnapshot | None = None

    def __call__(self) -> bytes:
        view = self._progress_registry.running(self._task_id)
        if view is None or view == self._said:
            return b""
        self._said = view
        return encode_live("progress", progress_view(view).model_dump())


def _position(request: Request, task: Task) -> int:
    """Last-Event-ID (EventSource sends it), else ?after=. Raises Malformed for ids never given."""
    position = LAST_EVENT_ID.read(request)
    if position is None:
        position = AFTER.read(request) or 0
    if position > task.sequence:
        raise Malformed(f"this task has no event {position} yet; its newest is {task.sequence}")
    return position
