"""GET /api/v1/status/{task_id}: a task's log as server-sent events."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Malformed
from gencode.domain.event import encode_live
from gencode.domain.task import Task
from gencode.http.event_stream import EventStream
from gencode.http.services import get_services, own_task
from gencode.http.views import progress_view
from gencode.llm.progress import ProgressRegistry, ProgressSnapshot


async def status(request: Request) -> Response:
    """All events after the client's last one, then new ones as they happen, until the task is over.

    204 tells a client that reconnects after the end to stop (WHATWG HTML, 9.2.3).
    """
    services = get_services(request)
    task = await own_task(request)
    after = _position(request, task)
    if task.status.is_terminal and after == task.sequence and after:
        return Response(status_code=204)
    include = request.query_params.get("include", "").split(",")
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
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Malformed("Last-Event-ID and ?after= take the id of an event: a whole number")
    if int(text) > task.sequence:
        raise Malformed(f"this task has no event {text} yet; its newest is {task.sequence}")
    return int(text)
