"""What each address takes and answers, in the words of OpenAPI."""

from __future__ import annotations

from typing import Any

from gencode.task import Status
from gencode.web.tasks import CURSOR, MOST

Part = dict[str, Any]

_KEYS: list[Part] = [{"bearer": []}, {"header": []}]
_OPEN: list[Part] = []

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


def paths() -> dict[str, Part]:
    return {
        "/api/v1/generate": {"post": _generate()},
        "/api/v1/estimate": {"post": _estimate()},
        "/api/v1/status/{task_id}": {"get": _status()},
        "/api/v1/tasks": {"get": _tasks()},
        "/api/v1/task/{task_id}": {"get": _task("getTask", "A task", {"200": _body("TaskView", "The task")})},
        "/api/v1/task/{task_id}/approve": {"post": _approve()},
        "/api/v1/task/{task_id}/archive.zip": {"get": _archive()},
        "/api/v1/task/{task_id}/bundle": {"get": _bundle()},
        "/api/v1/task/{task_id}/cancel": {"post": _cancel()},
        "/api/v1/task/{task_id}/files": {"get": _files()},
        "/api/v1/task/{task_id}/files/{path}": {"get": _file()},
        "/api/v1/task/{task_id}/plan": {"get": _plan(), "put": _change_plan()},
        "/api/v1/task/{task_id}/report": {"get": _report()},
        "/api/v1/task/{task_id}/retry": {"post": _retry()},
        "/api/v1/task/{task_id}/ticket": {"post": _ticket()},
        "/api/v1/webhook-secret": {"get": _webhook_secret()},
        "/integrations/slack": {"post": _chat("Slack")},
        "/integrations/mattermost": {"post": _chat("Mattermost")},
        **_service(),
    }


# --- tasks ------------------------------------------------------------------------------------------


def _generate() -> Part:
    accepted = _body("Accepted", "The task is stored", _limit_headers() | _link_header())
    more = {"413": "Larger than MAX_BODY_BYTES", "415": "Not JSON", "422": "A rule is broken"}
    more |= {"429": "More than RATE_LIMIT", "503": "Too many tasks wait, or the store refuses"}
    return _operation(
        "generate",
        "Submit a prompt",
        {"202": accepted} | {code: _problem(words) for code, words in more.items()},
        parameters=[
            _header("Idempotency-Key", "The same key and body: the first answer", r"^[ -~]{1,255}$"),
            _header("Accept-Language", "en or zh: the language of messages"),
        ],
        requestBody={
            "required": True,
            "content": {"application/json": {"schema": _ref("GenerateRequest")}},
        },
    )


def _estimate() -> Part:
    answers = {
        "200": _body("EstimateView", "Nothing was stored, no model was asked"),
        "413": _problem("Larger than MAX_BODY_BYTES"),
        "415": _problem("Not JSON"),
        "422": _problem("A rule is broken"),
    }
    asked = {"required": True, "content": {"application/json": {"schema": _ref("GenerateRequest")}}}
    return _operation("estimate", "What a prompt would probably cost", answers, requestBody=asked)


def _status() -> Part:
    stream = {"description": STREAM, "content": {"text/event-stream": {"schema": _event()}}}
    done = {"description": "The task is over and the client has heard it all"}
    operation = _task("followTask", "A task's events", {"200": stream, "204": done})
    operation["security"] = [*_KEYS, {"ticket": []}]
    operation["parameters"] += [
        _header("Last-Event-ID", "Go on after this event", r"^[0-9]{0,18}$"),
        _query("after", "The same, where a header cannot be sent", _whole()),
        _query(
            "include",
            "delta: what the model is writing; progress: how far it is; or both, with a comma",
            {"type": "string"},
        ),
    ]
    return operation


def _event() -> Part:
    """Of each event, as a parser of event streams gives it."""
    data = {"type": "string", "contentMediaType": "application/json"}
    fields = {"event": {"type": "string"}, "id": {"type": "string", "pattern": "^[0-9]*$"}, "data": data}
    return {"type": "object", "properties": fields, "description": "Each event"}


def _tasks() -> Part:
    several = {"type": "array", "items": {"type": "string", "enum": list(Status)}}
    return _operation(
        "listTasks",
        "One's own tasks, newest first",
        {"200": _body("TaskList", "A page"), "422": _problem("A rule is broken")},
        parameters=[
            _query("status", "Only these; repeatable, or separated by commas", several),
            _query("limit", "Tasks on a page", {**_whole(1, MOST), "default": 20}),
            _query("cursor", "next_cursor of the page before", {"type": "string", "pattern": f"^$|{CURSOR}"}),
        ],
    )


def _cancel() -> Part:
    answers = {"200": _body("TaskView", "Nothing of it runs any more"), "409": _problem("It is over already")}
    return _task("cancelTask", "Cancel a task", answers)


def _retry() -> Part:
    headers = _limit_headers() | {"Location": _text("The task's address")}
    answers = {
        "202": _body("Accepted", "It is in line again, for the stage that it failed in", headers),
        "409": _problem("It has not failed"),
        "429": _problem("More than RATE_LIMIT"),
        "503": _problem("Too many tasks wait, or the store refuses"),
    }
    answers |= {"413": _problem("Larger than MAX_BODY_BYTES"), "415": _problem("Not JSON")}
    operation = _task(
        "retryTask", "Go on with a failed task", answers | {"422": _problem("A rule is broken")}
    )
    operation["requestBody"] = {"content": {"application/json": {"schema": _ref("RetryRequest")}}}
    return operation


def _bundle() -> Part:
    attached = {"Content-Disposition": _text("A name for the file")}
    bundle = _body("BundleView", "For gencode replay; once the commit is pushed", attached)
    return _task("bundleTask", "All to make the commit again", {"200": bundle})


def _files() -> Part:
    return _task("listFiles", "The files of a task", {"200": _body("FileList", "As of now")})


def _file() -> Part:
    operation = _task("readFile", "A file that is whole", _download("text/plain", "Its text"))
    where = {"name": "path", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    operation["parameters"] += [where, _if_none_match()]
    return operation


def _archive() -> Part:
    words = "The whole files, in one folder; the name says .partial while others are missing"
    operation = _task("archiveFiles", "All whole files", _download("application/zip", words))
    operation["parameters"] += [_if_none_match()]
    return operation


def _download(media: str, words: str) -> Part:
    headers = {"ETag": _text("Of these bytes"), "Content-Disposition": _text("A name for the file")}
    secret = _problem("SECRET_FOUND: it holds a secret of this very service, which is never served")
    unchanged = {"description": "The client has it", "headers": {"ETag": _text("Of these bytes")}}
    return {"200": _plain(media, words) | {"headers": headers}, "304": unchanged, "422": secret}


def _if_none_match() -> Part:
    return _header("If-None-Match", "ETags of what the client has")


def _plan() -> Part:
    plan = _body("PlanView", "As it is now", {"ETag": _text("Of this revision, for If-Match")})
    return _task("readPlan", "The plan of a task", {"200": plan})


def _change_plan() -> Part:
    headers = _limit_headers() | {"ETag": _text("Of this revision")}
    answers = {
        "200": _body("PlanView", "As it is from now on", headers),
        "409": _problem("It does not wait for approval"),
        "412": _problem("If-Match names another revision"),
        "413": _problem("Larger than MAX_BODY_BYTES"),
        "415": _problem("Not JSON"),
        "422": _problem("A rule is broken"),
        "429": _problem("More than RATE_LIMIT"),
    }
    operation = _task("changePlan", "Change a plan that waits for approval", answers)
    operation["parameters"] += [_if_match()]
    asked = {"required": True, "content": {"application/json": {"schema": _ref("PlanEdit")}}}
    return operation | {"requestBody": asked}


def _approve() -> Part:
    answers = {
        "202": _body("Accepted", "It is in line again", {"Location": _text("The task's address")}),
        "409": _problem("It does not wait for approval"),
        "412": _problem("If-Match names another revision"),
        "503": _problem("Too many tasks wait, or the store refuses"),
    }
    operation = _task("approvePlan", "Let the files of the plan be written", answers)
    operation["parameters"] += [_if_match()]
    return operation


def _if_match() -> Part:
    return _header("If-Match", "Only if the plan is still of this revision (its ETag)")


def _report() -> Part:
    return _task("reportTask", "What became of a task", {"200": _body("ReportView", "As of now")})


def _ticket() -> Part:
    return _task("issueTicket", "A ticket for EventSource", {"201": _body("TicketView", "The ticket")})


def _task(name: str, summary: str, answers: Part) -> Part:
    """An operation on one task."""
    where = {"name": "task_id", "in": "path", "required": True, "schema": {"type": "string"}}
    missing = _problem("No such task, or another client's")
    return _operation(name, summary, answers | {"404": missing}, parameters=[where])


def _chat(name: str) -> Part:
    form = {"type": "object", "properties": {"text": {"type": "string"}, "response_url": {"type": "string"}}}
    answers = {
        "200": _body("Said", "What is told to who gave the command"),
        "400": _problem("Not what the chat sends"),
        "401": _problem("Not proven to come from the chat")
        | {"headers": {"WWW-Authenticate": _text("Bearer")}},
        "404": _problem("The chat is not configured"),
        "413": _problem("Larger than MAX_BODY_BYTES"),
        "default": _problem("Another problem: see its code"),
    }
    return {
        "operationId": name.lower(),
        "summary": f"A command of {name}",
        "security": _OPEN,
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": answers,
    }


def _webhook_secret() -> Part:
    answers = {"200": _body("WebhookSecret", "Yours"), "404": _problem("The operator's signs for everybody")}
    return _operation("webhookSecret", "What your callbacks are signed with", answers)


def _operation(name: str, summary: str, answers: Part, **more: Any) -> Part:
    usual = {
        "401": _problem("No valid API key") | {"headers": {"WWW-Authenticate": _text("Bearer")}},
        "503": _problem("The store refuses, or the service stops or has too many connections"),
        "default": _problem("Another problem: see its code"),
    }
    return {
        "operationId": name,
        "summary": summary,
        "security": _KEYS,
        "responses": usual | answers,
        **more,
    }


# --- the service itself -----------------------------------------------------------------------------


def _service() -> dict[str, Part]:
    unready = {"503": _body("Health", "It is not")}
    return {
        "/livez": _open("livez", "Whether the process answers", {"200": _body("Health", "It does")}),
        "/readyz": _open(
            "readyz", "Whether new tasks are accepted", {"200": _body("Health", "They are")} | unready
        ),
        "/health": _open(
            "health", "The same, with figures", {"200": _body("Health", "It is well")} | unready
        ),
        "/metrics": _open("metrics", "Prometheus' text format", {"200": _plain("text/plain", "The metrics")}),
        "/openapi.json": _open(
            "openapi", "This document", {"200": _plain("application/json", "The document", "object")}
        ),
        "/docs": _open("reference", "The same, for people", {"200": _plain("text/html", "A page")}),
        "/": _open("page", "The page, for people", {"200": _plain("text/html", "The page")}),
    }


def _open(name: str, summary: str, answers: Part) -> Part:
    default = {"default": _problem("A problem: see its code")}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "security": _OPEN,
            "responses": answers | default,
        }
    }


# --- pieces -----------------------------------------------------------------------------------------


def _ref(schema: str) -> Part:
    return {"$ref": f"#/components/schemas/{schema}"}


def _body(schema: str, words: str, headers: Part | None = None) -> Part:
    found = {"description": words, "content": {"application/json": {"schema": _ref(schema)}}}
    return found | ({"headers": headers} if headers else {})


def _plain(media: str, words: str, kind: str = "string") -> Part:
    return {"description": words, "content": {media: {"schema": {"type": kind}}}}


def _problem(words: str) -> Part:
    """With Retry-After where waiting helps."""
    headers = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    return {
        "description": words,
        "headers": headers,
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }


def _limit_headers() -> Part:
    described = {"Limit": "Submissions in a window", "Remaining": "Left", "Reset": "Seconds until it is anew"}
    return {
        f"RateLimit-{name}": {"description": words, "schema": _whole()} for name, words in described.items()
    }


def _link_header() -> Part:
    """And whether an idempotency key was known."""
    return {
        "Location": _text("The task's address"),
        "Idempotency-Replayed": {
            "description": "Whether the key was known",
            "schema": {"enum": ["true", "false"]},
        },
    }


def _text(words: str) -> Part:
    return {"description": words, "schema": {"type": "string"}}


def _header(name: str, words: str, pattern: str = "") -> Part:
    schema = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {"name": name, "in": "header", "description": words, "schema": schema}


def _query(name: str, words: str, schema: Part) -> Part:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _whole(least: int = 0, most: int | None = None) -> Part:
    return {"type": "integer", "minimum": least} | ({"maximum": most} if most else {})
