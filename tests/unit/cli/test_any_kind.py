"""The commands for tasks of every kind, with a kind that this version does not know."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from gencode.bootstrap.command_registry import main
from tests.servers.scripted import Scripted, problem

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GENCODE_URL", "GENCODE_API_KEY", "GENCODE_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


async def gencode(url: str, *arguments: str) -> int:
    return await anyio.to_thread.run_sync(main, [*arguments, "--url", url])


def a_task(**fields: Any) -> dict[str, Any]:
    task = {
        "task_id": "t",
        "kind": "assess",
        "state": "succeeded",
        "status": "completed",
        "message": "scored",
        "score": 7,
        "title": "the shop",
        "labels": ["a"],
        "error": None,
        "last_event_id": 3,
        "created_at": "2026-11-22T10:00:00.000Z",
        "updated_at": "2026-11-22T10:01:00.000Z",
        "status_url": "/api/v1/status/t",
        "task_url": "/api/v1/task/t",
    }
    return task | fields


def at(second: int, status: str) -> dict[str, Any]:
    return {"status": status, "message": f"now {status}", "at": f"2026-11-22T10:00:{second:02}.000Z"}


def stream(*events: tuple[str, dict[str, Any]]) -> Response:
    text = "".join(
        f"event: {kind}\nid: {number}\ndata: {json.dumps(data)}\n\n"
        for number, (kind, data) in enumerate(events, 1)
    )
    return StreamingResponse(iter([text]), media_type="text/event-stream")


EVENTS = [("status", at(1, "reading")), ("verdict", {"score": 7}), ("status", at(2, "completed"))]


async def test_watch_prints_its_stages_and_no_clone_command(capsys: Capture) -> None:
    service = Scripted({"GET /task/t": [JSONResponse(a_task())], "GET /status/t": [stream(*EVENTS)]})
    async with service.served() as url:
        assert await gencode(url, "watch", "t") == 0
    shown = capsys.readouterr().out
    assert shown.splitlines() == ["reading        now reading", "completed      now completed"]


async def test_watch_prints_events_that_it_does_not_know_as_json(capsys: Capture) -> None:
    service = Scripted({"GET /task/t": [JSONResponse(a_task())], "GET /status/t": [stream(*EVENTS)]})
    async with service.served() as url:
        assert await gencode(url, "watch", "t", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["status", "verdict", "status", "task"]


async def test_a_failed_task_is_shown_with_its_retry_command(capsys: Capture) -> None:
    error = {"code": "NO_CODE", "message": "nothing to read", "retryable": False, "stage": "reading"}
    failed = a_task(state="failed", status="failed", message=error["message"], error=error)
    end = {**at(2, "failed"), "message": error["message"]}
    events = stream(("status", at(1, "reading")), ("status", end), ("error", error))
    async with Scripted({"GET /task/t": [JSONResponse(failed)], "GET /status/t": [events]}).served() as url:
        assert await gencode(url, "watch", "t") == 1
        watched = capsys.readouterr().out
        assert await gencode(url, "show", "t") == 0
    shown = capsys.readouterr().out
    assert "fix the cause, then go on with: gencode retry t" in watched
    assert "NO_CODE: nothing to read" in watched
    assert "NO_CODE while reading: nothing to read" in shown
    assert [text.count("nothing to read") for text in (watched, shown)] == [1, 1]


async def test_tasks_and_show_print_the_fields_that_there_are(capsys: Capture) -> None:
    page = JSONResponse({"tasks": [a_task()], "next_cursor": None})
    async with Scripted({"GET /tasks": [page], "GET /task/t": [JSONResponse(a_task())]}).served() as url:
        assert await gencode(url, "tasks") == 0
        assert capsys.readouterr().out == "t  2026-11-22 10:00  completed      assess\n"
        assert await gencode(url, "show", "t") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "score       7" in lines
    assert "title       the shop" in lines
    assert not any(line.startswith(("labels", "last_event_id", "status_url")) for line in lines)


PAUSED = a_task(state="paused", status="reading", message="wait", approve_by="2026-11-23T10:00:00.000Z")


async def test_a_paused_task_without_a_plan_is_approved(capsys: Capture) -> None:
    accepted = JSONResponse({"task_id": "t", "status": "reading", "message": "goes on"}, 202)
    service = Scripted({"GET /task/t": [JSONResponse(PAUSED)], "POST /task/t/approve": [accepted]})
    async with service.served() as url:
        assert await gencode(url, "show", "t") == 0
        assert "it waits for: gencode approve t" in capsys.readouterr().out
        assert await gencode(url, "approve", "t", "--yes") == 0
    assert capsys.readouterr().out.splitlines() == [
        "reading: wait",
        "it waits until 2026-11-23T10:00:00.000Z",
        "approved",
    ]
    (approval,) = service.asked("POST /task/t/approve")
    assert "if-match" not in approval.headers
    assert not service.asked("GET /task/t/plan")


async def test_without_a_plan_there_is_nothing_to_edit(capsys: Capture) -> None:
    async with Scripted({"GET /task/t": [JSONResponse(PAUSED)]}).served() as url:
        assert await gencode(url, "approve", "t", "--edit", "--yes") == 2
        assert "nothing to edit" in capsys.readouterr().err
        assert await gencode(url, "approve", "t", "--json") == 0
    assert json.loads(capsys.readouterr().out)["task_id"] == "t"


async def test_delete_asks_for_confirmation(capsys: Capture) -> None:
    answers = {
        "GET /task/t": [JSONResponse(a_task(status="failed"))],
        "DELETE /task/t": [Response(None, 204)],
    }
    service = Scripted(answers)
    async with service.served() as url:
        assert await gencode(url, "delete", "t") == 2
        assert "nobody is there to ask" in capsys.readouterr().err
        assert not service.asked("DELETE /task/t")
        assert await gencode(url, "delete", "t", "--yes") == 0
    assert capsys.readouterr().out == "deleted\n"
    assert service.asked("DELETE /task/t")


async def test_cancel_and_retry_work(capsys: Capture) -> None:
    cancelled = JSONResponse(a_task(state="cancelled", status="cancelled", message="ended"))
    accepted = JSONResponse({"task_id": "t", "status": "reading", "message": "again"}, 202)
    answers = {
        "GET /task/t": [JSONResponse(a_task(status="failed"))],
        "POST /task/t/cancel": [cancelled],
        "POST /task/t/retry": [accepted],
    }
    service = Scripted(answers)
    async with service.served() as url:
        assert await gencode(url, "cancel", "t") == 0
        assert capsys.readouterr().out == "cancelled: ended\n"
        assert await gencode(url, "retry", "t", "--best-effort", "--max-tokens", "5") == 0
    assert "task t goes on: again" in capsys.readouterr().out
    assert json.loads(service.bodies[-1]) == {"deliver": "best_effort", "max_tokens": 5}


async def test_a_refused_task_exits_with_3(capsys: Capture) -> None:
    async with Scripted({"GET /task/t": [problem(404, "NOT_FOUND")]}).served() as url:
        assert await gencode(url, "show", "t") == 3
    assert "NOT_FOUND" in capsys.readouterr().err
