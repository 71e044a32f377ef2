"""Asking for tasks, following them, and what one does with them."""

from __future__ import annotations

from gencode.domain.task import Status
from gencode.http.operations.pieces import (
    KEYS,
    Part,
    body,
    header,
    limit_headers,
    operation,
    problem,
    query,
    ref,
    task,
    text,
    whole,
)
from gencode.http.tasks import CURSOR, MOST

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


def view() -> Part:
    return task("getTask", "A task", {"200": body("TaskView", "The task")})


def status() -> Part:
    stream = {"description": STREAM, "content": {"text/event-stream": {"schema": _event()}}}
    done = {"description": "The task is over and the client has heard it all"}
    made = task("followTask", "A task's events", {"200": stream, "204": done})
    made["security"] = [*KEYS, {"ticket": []}]
    made["parameters"] += [
        header("Last-Event-ID", "Go on after this event", r"^[0-9]{0,18}$"),
        query("after", "The same, where a header cannot be sent", whole()),
        query(
            "include",
            "delta: what the model is writing; progress: how far it is; or both, with a comma",
            {"type": "string"},
        ),
    ]
    return made


def _event() -> Part:
    """Of each event, as a parser of event streams gives it."""
    data = {"type": "string", "contentMediaType": "application/json"}
    fields = {"event": {"type": "string"}, "id": {"type": "string", "pattern": "^[0-9]*$"}, "data": data}
    return {"type": "object", "properties": fields, "description": "Each event"}


def listing() -> Part:
    several = {"type": "array", "items": {"type": "string", "enum": list(Status)}}
    return operation(
        "listTasks",
        "One's own tasks, newest first",
        {"200": body("TaskList", "A page"), "422": problem("A rule is broken")},
        parameters=[
            query("status", "Only these; repeatable, or separated by commas", several),
            query("limit", "Tasks on a page", {**whole(1, MOST), "default": 20}),
            query("cursor", "next_cursor of the page before", {"type": "string", "pattern": f"^$|{CURSOR}"}),
        ],
    )


def cancel() -> Part:
    answers = {"200": body("TaskView", "Nothing of it runs any more"), "409": problem("It is over already")}
    return task("cancelTask", "Cancel a task", answers)


def retry() -> Part:
    headers = limit_headers() | {"Location": text("The task's address")}
    answers = {
        "202": body("Accepted", "It is in line again, for the stage that it failed in", headers),
        "409": problem("It has not failed"),
        "429": problem("More than RATE_LIMIT"),
        "503": problem("Too many tasks wait, or the store refuses"),
    }
    answers |= {"413": problem("Larger than MAX_BODY_BYTES"), "415": problem("Not JSON")}
    made = task("retryTask", "Go on with a failed task", answers | {"422": problem("A rule is broken")})
    made["requestBody"] = {"content": {"application/json": {"schema": ref("RetryRequest")}}}
    return made


def ticket() -> Part:
    return task("issueTicket", "A ticket for EventSource", {"201": body("TicketView", "The ticket")})
