"""Requirement documents over HTTP: typed, uploaded, read by a task, in versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.calls import client, get, post
from tests.servers.service import App, running_app, settings
from tests.servers.stream import events
from tests.unit.documents.pdf_files import pdf_file

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]
TEXT = "# Login\n\nThe system must lock an account after 5 failed logins.\n"


async def upload(app: App, file: str, data: bytes, key: str = "", **fields: str) -> Any:
    async with client(app.url) as http:
        return await http.post(
            "/api/v1/requirements/upload",
            files={"file": (file, data)},
            data=fields,
            headers={"Idempotency-Key": key} if key else {},
        )


async def read(app: App, document: dict[str, Any]) -> dict[str, Any]:
    """The document once its task has ended."""
    await events(app.url, document["parse_task_id"])
    found: dict[str, Any] = await get(app.url, f"/api/v1/requirements/{document['id']}")
    return found


async def test_a_typed_document_has_its_text_at_once_and_lists_leave_it_out(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        created = await post(
            app.url, "/requirements", {"name": "登录", "original_content": "系统必须锁定账户。\r\n"}
        )
        assert created.status_code == 201, created.text
        made = created.json()
        assert (made["source"], made["status"], made["language"]) == ("manual", "completed", "zh")
        assert made["original_content"] == "系统必须锁定账户。\n"
        listed = await get(app.url, "/api/v1/requirements?status=completed")
        assert ([one["id"] for one in listed["items"]], "original_content" in listed["items"][0]) == (
            [made["id"]],
            False,
        )


async def test_an_upload_is_read_by_a_task_and_a_second_version_names_the_first(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        answer = await upload(app, "../notes.MD", TEXT.encode(), name="Login")
        assert answer.status_code == 202, answer.text
        first = answer.json()
        assert (first["original_filename"], first["mime_type"]) == ("notes.MD", "text/markdown")
        assert first["status"] in ("pending", "processing")  # the task may have begun
        assert answer.headers["Location"].endswith(first["parse_task_id"])
        done = await read(app, first)
        assert (done["status"], done["original_content"], done["language"]) == ("completed", TEXT, "en")
        second = (await upload(app, "v2.md", b"x", previous_id=first["id"])).json()
        assert second["previous_id"] == first["id"]
        refused = await upload(app, "v2.md", b"x", previous_id="00000000-0000-4000-8000-000000000000")
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "previous_id")
        again = await post(app.url, f"/requirements/{first['id']}/parse")
        assert again.status_code == 202
        await events(app.url, again.json()["task_id"])
        assert (await get(app.url, f"/api/v1/requirements/{first['id']}"))["status"] == "completed"


async def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        failed = await read(app, (await upload(app, "scan.pdf", pdf_file([[]]))).json())
        assert failed["status"] == "failed"
        assert failed["error_code"].startswith("DOCUMENT_"), failed
        assert failed["error_message"]
        assert failed["original_content"] is None


async def test_a_cancelled_reading_is_told_by_the_document(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True, max_concurrent_tasks=1)) as app:
        document = (await upload(app, "a.md", TEXT.encode())).json()
        await post(app.url, f"/task/{document['parse_task_id']}/cancel")
        found = await read(app, document)
        assert found["status"] in ("failed", "completed")
        assert found["status"] == "completed" or found["error_code"] == "CANCELLED"


async def test_a_file_is_bounded_by_its_own_limit(tmp_path: Path) -> None:
    chosen = settings(tmp_path, workspace=True, max_body_bytes=10_000, max_file_size=200_000)
    async with running_app(chosen) as app:
        assert (await upload(app, "a.txt", b"a sentence. " * 16_000)).status_code == 202
        for size in (17_000, 100_000):
            answer = await upload(app, "a.txt", b"a sentence. " * size)
            assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
            assert "MAX_FILE_SIZE" in answer.json()["detail"]
        assert (
            await post(app.url, "/requirements", {"name": "x", "original_content": "y" * 20_000})
        ).status_code == 413
        assert len((await get(app.url, "/api/v1/requirements"))["items"]) == 1


async def test_the_same_upload_with_the_same_key_is_one_document(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        first, again = [(await upload(app, "a.md", TEXT.encode(), "k")).json() for _ in range(2)]
        assert first["id"] == again["id"]
        other = await upload(app, "a.md", b"other", "k")
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert len((await get(app.url, "/api/v1/requirements"))["items"]) == 1


async def test_an_upload_that_cannot_be_queued_leaves_no_document(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True, max_waiting_tasks=0)) as app:
        answer: httpx.Response = await upload(app, "a.md", TEXT.encode())
        assert answer.status_code == 503, answer.text
        assert (await get(app.url, "/api/v1/requirements"))["items"] == []
