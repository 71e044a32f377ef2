"""GET /api/v1/status/{task_id}: a task's log as server-sent events."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Malformed
from gencode.domain.event import encode_live
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.http.common_declarations import OWN_TASK
from gencode.http.dependencies import get_services, own_task
from gencode.http.event_stream import EventStream
from gencode.http.kinds import ActiveKinds, KindRegistry
from gencode.http.operation import Operation, operation
from gencode.http.parameter_types import InvalidText, JsonSchema, Parameter, Text, malformed
from gencode.http.response_specs import ResponseSpec
from gencode.http.task_models import progress_data
from gencode.llm.progress_tracker import ProgressSnapshot

DESCRIPTION = """\
Server-sent events. Each stored event has an id; ids count 1, 2, 3, ... within the task, without a gap.

- `status`: `{"status", "message", "at", ...}`, with what is known of the result
- `error`: `{"status": "failed", "code", "message", "retryable"}`, after the `status` event `failed`
- `approval`, `approved`: the task waits for `POST /api/v1/task/{task_id}/approve`, or no longer
- `progress`: how far the task is, each second while that changes, only with `?include=progress`; no id
- `delta`: what the model is writing, only with `?include=delta`; has no id and is not stored
"""
ENDING = """
Comments keep an idle stream open. After the last event the server ends the stream; a client that reconnects
then gets 204, which makes EventSource stop.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _EventId:
    """The id of an event; an empty text is None."""

    json_schema: JsonSchema

    def schema(self) -> JsonSchema:
        return self.json_schema

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
    type=_EventId(json_schema={"type": "string", "pattern": r"^[0-9]{0,18}$"}),
    default=None,
    on_invalid=malformed,
)
LAST_EVENT_ID_QUERY = Parameter(
    name="lastEventId",
    location="query",
    description="The same, as polyfills of EventSource send it; their other spellings are understood too",
    type=LAST_EVENT_ID.type,
    default=None,
    aliases=("lastEventID", "last-event-id", "Last-Event-ID", "last_event_id", "evs_last_event_id"),
    on_invalid=malformed,
)
AFTER = Parameter(
    name="after",
    location="query",
    description="The same, where a header cannot be sent",
    type=_EventId(json_schema={"type": "integer", "minimum": 0}),
    default=None,
    on_invalid=malformed,
)
POSITIONS = (LAST_EVENT_ID, LAST_EVENT_ID_QUERY, AFTER)
"""The parameters that name a position. The first one with an id counts: a client that reconnects repeats the
`after` of its first URL."""
INCLUDE = Parameter(
    name="include",
    location="query",
    description="delta: what the model is writing; progress: how far it is; or both, with a comma",
    type=Text(),
    default="",
)
EVENT_SCHEMA: JsonSchema = {}
"""Empty: validators would apply a schema to each event, generated clients to the whole stream."""
FINISHED = ResponseSpec(status=204, description="The task is over and the client has every event")


def follow_operation(kinds: KindRegistry) -> Operation:
    stream = ResponseSpec(
        description=_description(kinds), media_type="text/event-stream", schema=EVENT_SCHEMA
    )

    @operation(
        "followTask",
        "GET /status/{task_id}",
        "A task's events",
        traits=(OWN_TASK,),
        parameters=(*POSITIONS, INCLUDE),
        responses=(stream, FINISHED),
        security=("ticket",),
    )
    async def follow(request: Request) -> Response:
        """All events after the client's last one, then new ones as they happen, until the task is over.

        204 makes a client that reconnects after the end stop (WHATWG HTML, 9.2.3).
        """
        services, task = get_services(request), await own_task(request)
        after = _position(request, task)
        if task.state.is_terminal and after == task.sequence and after:
            return Response(status_code=204)
        include = INCLUDE.read(request).split(",")
        progress = (services.progress_ticker, _ProgressMessages(services.kinds, task))
        return EventStream(
            services.hub.subscribe(task.id, after, "delta" in include),
            services.ticker,
            *([progress] if "progress" in include else ()),
            loading=partial(services.stream_limiter.hold, task.principal.id),
        )

    return follow


def _description(kinds: KindRegistry) -> str:
    of_kinds = "".join(
        f"- of tasks of kind `{kind.name}`: {', '.join(f'`{name}`' for name in kind.event_names)}\n"
        for kind in kinds
        if kind.event_names
    )
    return f"{DESCRIPTION}{of_kinds}{ENDING}"


class _ProgressMessages:
    """The task's measured progress as a message, when it has changed since the last call."""

    def __init__(self, kinds: ActiveKinds, task: Task) -> None:
        self._kinds = kinds
        self._task = task
        self._last: ProgressSnapshot | None = None

    def __call__(self) -> bytes:
        progress = self._kinds.live_progress(self._task)
        if progress is None or progress == self._last:
            return b""
        self._last = progress
        return encode_live("progress", progress_data(progress))


def _position(request: Request, task: Task) -> int:
    """The event after which the stream begins, or 0. Raises Malformed for an id that does not exist."""
    given = [position for one in POSITIONS if (position := one.read(request)) is not None]
    position = given[0] if given else 0
    if position > task.sequence:
        raise Malformed(
            Phrase(
                "this task has no event {position} yet; its newest is {sequence}",
                position=position,
                sequence=task.sequence,
            )
        )
    return position
