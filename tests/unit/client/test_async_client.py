"""The client against a scripted server: errors, restarts, lost connections."""

from __future__ import annotations

import json

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from gencode.client import Client, Message, ServiceError, Unreachable
from tests.servers.ports import closed_port
from tests.servers.scripted import Lost, Scripted, problem, stream, task

ACCEPTED = JSONResponse({"task_id": "t", "status": "pending"}, 202)
STREAM, TASK, SUBMIT = "GET /status/t", "GET /task/t", "POST /generate"


async def received(client: Client, after: int = 0) -> list[Message]:
    return [message async for message in client.events("t", after)]


# --- events -----------------------------------------------------------------------------------------


async def test_each_event_is_yielded_once() -> None:
    scripted = Scripted({STREAM: [stream(1, 2, 3)], TASK: [task(3)]})
    async with scripted(key="k") as client:
        messages = await received(client)
    assert [(m.id, m.kind, m.data) for m in messages] == [(n, "status", {"n": n}) for n in (1, 2, 3)]
    assert [r.headers["last-event-id"] for r in scripted.asked(STREAM)] == ["0"]
    assert all(request.headers["authorization"] == "Bearer k" for request in scripted.requests)


async def test_a_reconnection_resumes_after_the_last_event() -> None:
    scripted = Scripted(
        {
            STREAM: [stream(1), stream(), Lost(), stream(2, 3)],
            TASK: [task(1, "generating"), task(3, "generating"), task(3)],
        }
    )
    async with scripted() as client:
        assert [m.id for m in await received(client)] == [1, 2, 3]
    assert [r.headers["last-event-id"] for r in scripted.asked(STREAM)] == ["0", "1", "1", "1"]


async def test_live_messages_are_requested_and_do_not_change_the_position() -> None:
    delta = b'event: delta\ndata: {"text":"x"}\n\n'
    scripted = Scripted({STREAM: [stream(1, more=delta), stream(2, 3)], TASK: [task(3)]})
    async with scripted() as client:
        found = [(m.id, m.kind) async for m in client.events("t", include=["delta", "progress"])]
    assert found == [(1, "status"), (0, "delta"), (2, "status"), (3, "status")]
    assert {r.query_params["include"] for r in scripted.asked(STREAM)} == {"delta,progress"}


async def test_reconnections_to_a_restarting_service_are_reported() -> None:
    busy = [problem(503, "SHUTTING_DOWN", **{"Retry-After": "7"}), Response("bad gateway", 502)]
    scripted = Scripted({STREAM: [stream(1), *busy, stream(2, 3)], TASK: [task(3)]})
    notices: list[tuple[str, float]] = []
    async with scripted() as client:
        messages = client.events("t", notice=lambda e, s: notices.append((e.code if e else "", s)))
        assert [m.id async for m in messages] == [1, 2, 3]
    assert [code for code, _ in notices] == ["", "SHUTTING_DOWN", "UNEXPECTED"]
    assert notices[1][1] == 7
    assert scripted.slept == [seconds for _, seconds in notices]


async def test_204_ends_the_stream() -> None:
    async with Scripted({STREAM: [Response(status_code=204)], TASK: [task(3)]})() as client:
        assert await received(client, after=3) == []


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (problem(404, "NOT_FOUND"), 404, "NOT_FOUND"),
        (Response("<html>", 404), 404, "UNEXPECTED"),
        (PlainTextResponse("welcome"), 200, "UNEXPECTED"),
        (RedirectResponse("http://elsewhere.example/"), 307, "UNEXPECTED"),
        (Response(b"data: {\n\n", media_type="text/event-stream"), 200, "UNEXPECTED"),
    ],
)
async def test_an_error_response_raises_service_error_with_its_code(
    answer: Response, status: int, code: str
) -> None:
    async with Scripted({STREAM: [answer]})() as client:
        with pytest.raises(ServiceError) as caught:
            await received(client)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert code in str(caught.value)


async def test_wait_returns_the_task_when_it_is_over() -> None:
    scripted = Scripted({STREAM: [stream(1), stream(2)], TASK: [task(2, "pushing"), task(2, "failed")]})
    async with scripted() as client:
        assert (await client.wait("t"))["status"] == "failed"


# --- calls ------------------------------------------------------------------------------------------


async def test_a_submission_without_a_response_is_repeated_with_the_same_key() -> None:
    busy = problem(503, "QUEUE_FULL", **{"Retry-After": "5"})
    scripted = Scripted({SUBMIT: [Lost(), busy, problem(429, "RATE_LIMITED"), ACCEPTED]})
    async with scripted() as client:
        assert (await client.submit("p", "r", model=None, private=False))["task_id"] == "t"
        await client.submit("p", "r")
        await client.submit("p", "r", idempotency_key="mine")
    keys = [request.headers["idempotency-key"] for request in scripted.requests]
    assert len(set(keys[:4])) == 1
    assert len(set(keys)) == 3
    assert keys[-1] == "mine"
    assert json.loads(scripted.bodies[0]) == {"prompt": "p", "repo_name": "r", "private": False}
    assert scripted.slept[1] == 5


async def test_retries_end_after_the_patience() -> None:
    scripted = Scripted({SUBMIT: [problem(503, "QUEUE_FULL", **{"Retry-After": "20"})]})
    async with scripted(patience=45) as client:
        with pytest.raises(ServiceError, match="QUEUE_FULL") as caught:
            await client.submit("p", "r")
    assert caught.value.retry_after == 20
    assert scripted.slept == [20, 20]


async def test_a_call_that_is_not_repeatable_is_not_sent_twice() -> None:
    scripted = Scripted(
        {
            "POST /task/t/retry": [problem(503, "SHUTTING_DOWN"), Lost()],
            "PUT /task/t/plan": [Response("proxy", 502)],
        }
    )
    async with scripted() as client:
        with pytest.raises(Unreachable):
            await client.retry("t", max_tokens=5)
        with pytest.raises(ServiceError):
            await client.change_plan("t", [], revision=1)
    assert [request.url.path for request in scripted.requests] == [
        "/api/v1/task/t/retry",
        "/api/v1/task/t/retry",
        "/api/v1/task/t/plan",
    ]


async def test_a_permanent_error_is_not_retried() -> None:
    scripted = Scripted({SUBMIT: [problem(422, "VALIDATION")]})
    async with scripted() as client:
        with pytest.raises(ServiceError) as caught:
            await client.submit("p", "r")
    assert (caught.value.status, caught.value.code, caught.value.message) == (422, "VALIDATION", "what to do")
    assert len(scripted.requests) == 1


async def test_tasks_are_requested_page_by_page() -> None:
    pages = [
        JSONResponse({"tasks": [{"task_id": n} for n in ids], "next_cursor": cursor})
        for ids, cursor in (((1, 2), "a"), ((3, 4), "b"), ((5,), None))
    ]
    scripted = Scripted({"GET /tasks": pages})
    async with scripted() as client:
        assert [found["task_id"] async for found in client.tasks(status=["failed", "completed"])] == [
            *range(1, 6)
        ]
    cursors = [request.query_params.get("cursor") for request in scripted.requests]
    assert cursors == [None, "a", "b"]
    assert scripted.requests[0].query_params["status"] == "failed,completed"


async def test_no_more_pages_are_requested_than_needed() -> None:
    scripted = Scripted({"GET /tasks": [JSONResponse({"tasks": [{"task_id": 1}] * 3, "next_cursor": "a"})]})
    async with scripted() as client:
        assert len([found async for found in client.tasks(limit=5)]) == 5
    assert len(scripted.requests) == 2


@pytest.mark.parametrize("task_id", ["../tasks", "..", ".", "a/b", "a?b", "a#b", "%2e%2e", "task"])
async def test_an_invalid_id_is_quoted_as_one_path_segment(task_id: str) -> None:
    scripted = Scripted({})
    async with scripted() as client:
        with pytest.raises(ServiceError):
            await client.file(task_id, "../x")
    (requested,) = [request.scope["raw_path"].decode() for request in scripted.requests]
    assert requested.startswith("/api/v1/task/")
    assert requested.endswith("/files/%2E%2E/x")
    assert len(requested.split("/")) == 8


# --- connecting -------------------------------------------------------------------------------------


async def test_a_refused_connection_explains_how_to_start_a_service() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    url = f"http://user:hunter2@127.0.0.1:{closed_port()}"
    async with Client(url, connect_patience=1, sleep=sleep) as client:
        with pytest.raises(Unreachable, match="gencode serve") as caught:
            await client.submit("p", "r")
    assert "hunter2" not in str(caught.value)
    assert not caught.value.received
    assert 0 < sum(slept) <= 1


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "", "http://[::1"])
async def test_an_invalid_url_is_reported(url: str) -> None:
    with pytest.raises(Unreachable, match=r"http://|address"):
        async with Client(url) as client:
            await client.task("t")


async def test_https_to_an_http_server_is_reported() -> None:
    async with Scripted({}).served() as url:
        with pytest.raises(Unreachable, match="perhaps it wants http://"):
            async with Client(url.replace("http:", "https:")) as client:
                await client.task("t")


@pytest.mark.parametrize("answer", [Response("<html>"), JSONResponse({"hello": 1}), JSONResponse([1])])
async def test_a_response_that_is_not_gencodes_is_reported(answer: Response) -> None:
    async with Scripted({TASK: [answer]})() as client:
        with pytest.raises(ServiceError, match="not gencode") as caught:
            await client.task("t")
    assert caught.value.code == "UNEXPECTED"


@pytest.mark.parametrize("key", ["a\nb", "a\r"])
def test_a_key_that_no_header_can_hold_is_rejected_and_redacted(key: str) -> None:
    with pytest.raises(ValueError, match="line break") as caught:
        Client(key=key)
    assert key not in str(caught.value)


# --- kinds of task ----------------------------------------------------------------------------------


async def test_kinds_are_listed() -> None:
    kind = {"name": "generate", "title": {"en": "Generate"}, "stages": []}
    async with Scripted({"GET /kinds": [JSONResponse({"kinds": [kind]})]})() as client:
        assert await client.kinds() == [kind]


async def test_a_service_without_a_list_of_kinds_has_none() -> None:
    async with Scripted({"GET /kinds": [problem(404, "NOT_FOUND")]})() as client:
        assert await client.kinds() == []
    async with Scripted({"GET /kinds": [problem(401, "UNAUTHORIZED")]})() as client:
        with pytest.raises(ServiceError, match="UNAUTHORIZED"):
            await client.kinds()
