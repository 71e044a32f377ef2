"""Everything that the service offers for tasks works for a kind that adds no line outside its folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from gencode.bootstrap.app import BUILTIN_KINDS
from gencode.settings import Settings
from tests.e2e.test_mcp import assistant, call
from tests.kinds.letter.kind import LETTER
from tests.servers.calls import client, get, post
from tests.servers.receiver import receiver
from tests.servers.service import running_app, service, settings
from tests.servers.stream import events, subscribed

KINDS = (*BUILTIN_KINDS, LETTER)
LETTER_BODY = {"recipient": "Ann", "text": "Dear Ann, all is well"}
STAGES = ["pending", "drafting", "sending", "completed"]


def local_callbacks(folder: Path) -> Settings:
    return settings(folder, webhook_allow_networks="127.0.0.1/32", webhook_allow_http=True)


async def submit_letter(url: str, **fields: Any) -> str:
    response = await post(url, "/letters", LETTER_BODY | fields)
    assert response.status_code == 202, response.text
    assert "model" not in response.json()
    return str(response.json()["task_id"])


async def wait_for(url: str, task_id: str, **fields: Any) -> dict[str, Any]:
    """The task, as soon as it has these fields."""
    while True:
        task: dict[str, Any] = await get(url, f"/api/v1/task/{task_id}")
        if fields.items() <= task.items():
            return task
        await anyio.sleep(0.01)


async def test_it_is_submitted_streamed_shown_and_listed(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url)
        heard = await events(app.url, task_id)
        assert [event.data["status"] for event in heard if event.kind == "status"] == STAGES
        assert [event.data for event in heard if event.kind == "drafted"] == [{"words": 5}]
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["kind"], task["state"], task["status"]) == ("letter", "succeeded", "completed")
        assert (task["recipient"], task["words"], task["progress"]["percent"]) == ("Ann", 5, 100)
        assert not {"repo_name", "model"} & task.keys()
        listed = await get(app.url, "/api/v1/tasks?status=completed")
        assert [one["task_id"] for one in listed["tasks"]] == [task_id]
        assert await get(app.url, f"/api/v1/task/{task_id}/draft") == {"text": LETTER_BODY["text"]}


async def test_its_request_is_shown_without_a_line_of_its_own(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, stamp=False)
        request = await get(app.url, f"/api/v1/task/{task_id}/request")
        assert request == LETTER_BODY | {"review": False, "stamp": False, "seconds": 0.0}


async def test_messages_are_in_the_language_of_the_request(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        response = await post(app.url, "/letters", LETTER_BODY, **{"Accept-Language": "zh"})
        assert response.json()["message"] == "信件已接受"


async def test_it_pauses_and_goes_on_when_it_is_approved(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, review=True)
        paused = await wait_for(app.url, task_id, state="paused")
        assert (paused["status"], paused["awaiting_approval"]) == ("reviewing", True)
        for _ in range(2):  # a repetition is no error
            assert (await post(app.url, f"/task/{task_id}/approve")).status_code == 202
        assert (await wait_for(app.url, task_id, state="succeeded"))["status"] == "completed"


async def test_it_is_cancelled_while_it_runs_and_while_it_is_paused(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        running, paused = await submit_letter(app.url, seconds=60), await submit_letter(app.url, review=True)
        await wait_for(app.url, running, status="drafting")
        await wait_for(app.url, paused, state="paused")
        for task_id in (running, paused):
            response = await post(app.url, f"/task/{task_id}/cancel")
            assert (response.status_code, response.json()["state"]) == (200, "cancelled")
            assert response.json()["message"] == "The letter is torn up"


async def test_a_retry_changes_what_the_kind_allows(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, stamp=False)
        failed = await wait_for(app.url, task_id, state="failed")
        assert (failed["error"]["code"], failed["error"]["stage"]) == ("NO_STAMP", "sending")
        refused = await post(app.url, f"/task/{task_id}/retry", {"max_tokens": 5})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "max_tokens")
        retried = await post(app.url, f"/task/{task_id}/retry", {"stamp": True})
        assert (retried.status_code, retried.json()["status"]) == (202, "sending")
        assert (await wait_for(app.url, task_id, state="succeeded"))["words"] == 5


async def test_idempotency_keys_name_letters_too(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        key = {"Idempotency-Key": "k"}
        first, again = [await post(app.url, "/letters", LETTER_BODY, **key) for _ in range(2)]
        assert first.json() == again.json()
        other = await post(app.url, "/letters", LETTER_BODY | {"recipient": "Bob"}, **key)
        assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_kill_in_a_stage_loses_nothing(tmp_path: Path) -> None:
    async with service(tmp_path, {}, module=["tests.kinds.letter"]) as process:
        task_id = await submit_letter(process.url, seconds=3)
        await wait_for(process.url, task_id, status="drafting")
        await process.kill()
        await process.start()
        assert (await wait_for(process.url, task_id, state="succeeded"))["words"] == 5


async def test_gencode_watch_follows_it_through_a_pause(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, review=True)
        await wait_for(app.url, task_id, state="paused")
        command = [sys.executable, "-m", "gencode"]
        async with anyio.create_task_group() as group:

            async def approve() -> None:
                done = await anyio.run_process([*command, "approve", task_id, "--yes", "--url", app.url])
                assert done.returncode == 0

            group.start_soon(approve)
            watched = await anyio.run_process([*command, "watch", task_id, "--url", app.url])
        lines = watched.stdout.decode()
    assert all(text in lines for text in ("Writing the letter", "Reading the letter", "The letter is sent"))
    assert "git clone" not in lines


async def test_webhooks_have_its_fields(tmp_path: Path) -> None:
    async with receiver() as hook, running_app(local_callbacks(tmp_path), KINDS) as app:
        await submit_letter(app.url, callback_url=hook.url)
        seen = await hook.until(lambda seen: any(one.json["type"] == "task.completed" for one in seen))
        assert {one.json["data"]["recipient"] for one in seen} == {"Ann"}
        assert not any("repo_name" in one.json["data"] for one in seen)


async def test_assistants_have_a_tool_for_it(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app, assistant(app.url) as session:
        names = [tool.name for tool in (await session.list_tools()).tools]
        assert names == ["generate", "sendLetter", "status", "cancel", "retry", "files"]
        task = await call(session, "sendLetter", **LETTER_BODY, idempotency_key="k")
        again = await call(session, "sendLetter", **LETTER_BODY, idempotency_key="k")
        assert again["task_id"] == task["task_id"]
        done = await call(session, "status", task_id=task["task_id"], wait_seconds=30)
        assert (done["status"], done["recipient"]) == ("completed", "Ann")


async def test_clients_read_of_it_in_the_list_of_kinds_and_in_the_document(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        kinds = {kind["name"]: kind for kind in (await get(app.url, "/api/v1/kinds"))["kinds"]}
        letter = kinds["letter"]
        assert list(kinds) == ["generate", "letter"]
        assert letter["submit_url"] == "/api/v1/letters"
        assert [stage["name"] for stage in letter["stages"]] == ["drafting", "reviewing", "sending"]
        assert letter["stages"][0]["title"] == {"en": "Drafting", "zh": "起草"}
        assert letter["errors"][0]["advice"]["en"] == "Buy a stamp, then retry."
        document = await get(app.url, "/openapi.json")
        assert letter["request_schema"] in document["components"]["schemas"]
        assert "/api/v1/letters" in document["paths"]
        assert "reviewing" in document["components"]["schemas"]["TaskView"]["properties"]["status"]["enum"]
        retry = document["paths"]["/api/v1/task/{task_id}/retry"]["post"]["requestBody"]["content"]
        assert len(retry["application/json"]["schema"]["anyOf"]) == 2


async def test_progress_is_the_share_of_stages_that_are_done(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, seconds=60)
        task = await wait_for(app.url, task_id, status="drafting")
        assert task["progress"]["percent"] == 0
        async with subscribed(app.url, task_id, include="progress,delta") as stream:
            await stream.until("status", status="drafting")


@pytest.mark.parametrize("what", ["report", "bundle", "plan", "files", "files/a", "archive.zip"])
async def test_what_only_generated_projects_have_is_not_found(tmp_path: Path, what: str) -> None:
    async with running_app(settings(tmp_path), KINDS) as app, client(app.url) as http:
        task_id = await submit_letter(app.url)
        assert (await http.get(f"/api/v1/task/{task_id}/{what}")).status_code == 404


@pytest.mark.parametrize("what", ["cancel", "retry", "approve"])
async def test_a_service_that_does_not_know_the_kind_shows_its_tasks_and_leaves_them(
    tmp_path: Path, what: str
) -> None:
    async with running_app(settings(tmp_path), KINDS) as app:
        task_id = await submit_letter(app.url, stamp=False)
        await wait_for(app.url, task_id, state="failed")
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for path in ("/readyz", "/health", "/metrics"):
            assert (await http.get(path)).status_code == 200
        listed = await get(app.url, "/api/v1/tasks")
        (task,) = listed["tasks"]
        assert (task["kind"], task["status"], task["error"]["code"]) == ("letter", "failed", "NO_STAMP")
        assert "recipient" not in task
        refused: httpx.Response = await http.post(f"/api/v1/task/{task_id}/{what}")
        assert (refused.status_code, refused.json()["code"]) == (409, "UNKNOWN_KIND")
