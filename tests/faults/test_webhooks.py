"""Failing receivers of callbacks, and addresses that must not be called: rows 89 to 91."""

from __future__ import annotations

import json
import signal
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from tests.servers.calls import BODY, client, get, post
from tests.servers.peer import Act, peer
from tests.servers.ports import closed_port
from tests.servers.receiver import Seen, receiver
from tests.servers.service import running_app, service, settings, stored_tasks

SECRET = f"whsec_{b64encode(b'secret of the receiver, and ours').decode()}"
TOKEN = "canary-callback-0123456789abcdef"
ALL = ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"]
LOOPBACK: Mapping[str, Any] = {"webhook_allow_networks": "127.0.0.1/32", "webhook_allow_http": True}
VARIABLES = {"WEBHOOK_ALLOW_NETWORKS": "127.0.0.1/32", "WEBHOOK_ALLOW_HTTP": "true", "WEBHOOK_SECRET": SECRET}


def received(seen: list[Seen], task_id: str) -> list[str]:
    """The statuses of a task that a receiver got, in order of arrival. Each signature is verified."""
    found = [Webhook(SECRET).verify(one.body, dict(one.headers)) for one in seen]
    return [body["data"]["status"] for body in found if body["data"]["task_id"] == task_id]


def over(seen: list[Seen]) -> bool:
    return any(one.json["data"]["status"] in ("completed", "failed") for one in seen)


async def submitted(url: str, callback: str, name: str = "hello", **headers: str) -> str:
    body = BODY | {"callback_url": callback, "repo_name": name}
    answer = await post(url, "/generate", body, **headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def delivered(url: str, task_id: str) -> dict[str, Any]:
    """The task's callback, once nothing is left to deliver."""
    while True:
        task = await get(url, f"/api/v1/task/{task_id}")
        if task["status"] == "completed" and task["callback"]["told"] == task["last_event_id"]:
            return dict(task["callback"])
        await anyio.sleep(0.01)


async def test_each_status_is_delivered_signed_and_in_order(tmp_path: Path) -> None:
    chosen = settings(tmp_path, webhook_secret=SecretStr(SECRET), **LOOPBACK)
    async with receiver() as hooks, running_app(chosen) as app:
        task_id = await submitted(app.url, f"{hooks.url}/in?token={TOKEN}")
        await hooks.until(over)
        callback = await delivered(app.url, task_id)
        last = hooks.seen[-1].json["data"]
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (callback["receiver"], callback["state"], callback["reason"]) == (hooks.url, "open", None)
        assert received(hooks.seen, task_id) == ALL
        assert len({one.headers["webhook-id"] for one in hooks.seen}) == len(ALL)
        assert (last["repo_url"], last["commit"]) == (task["repo_url"], task["commit"])
        assert hooks.seen[0].path == f"/in?token={TOKEN}"
        assert "callback" not in (await get(app.url, "/api/v1/tasks"))["tasks"][0]
        for path in (f"task/{task_id}", "tasks", f"task/{task_id}/report", f"task/{task_id}/bundle"):
            assert TOKEN not in json.dumps(await get(app.url, f"/api/v1/{path}"))
        assert app.measured('gencode_callbacks_total{kind="webhook",outcome="told"}') == 6


async def test_a_failure_and_its_retry_are_delivered(tmp_path: Path) -> None:
    chosen = settings(tmp_path, webhook_secret=SecretStr(SECRET), **LOOPBACK)
    async with receiver() as hooks, running_app(chosen) as app:
        first = await submitted(app.url, hooks.url)
        await hooks.until(over)
        second = await submitted(app.url, hooks.url)  # the name is taken by now
        seen = await hooks.until(lambda seen: bool(seen) and seen[-1].json["data"]["status"] == "failed")
        assert seen[-1].json["data"]["error"]["code"] == "REPO_EXISTS"
        count = len(seen)
        assert (await post(app.url, f"/task/{second}/retry")).status_code == 202
        await hooks.until(lambda seen: len(seen) > count and seen[-1].json["data"]["status"] == "failed")
        assert received(hooks.seen, second)[-2:] == ["generating", "failed"]
        assert received(hooks.seen, first) == ALL


async def test_a_receiver_can_approve_the_plan_of_a_message(tmp_path: Path) -> None:
    chosen = settings(tmp_path, webhook_secret=SecretStr(SECRET), **LOOPBACK)
    async with receiver() as hooks, running_app(chosen) as app:
        body = BODY | {"callback_url": hooks.url, "approve_plan": True}
        task_id = (await post(app.url, "/generate", body)).json()["task_id"]
        seen = await hooks.until(lambda seen: any(one.json["data"].get("approve_by") for one in seen))
        assert [one.json["type"] for one in seen] == [
            "task.pending",
            "task.generating",
            "task.awaiting_approval",
        ]
        assert (await post(app.url, f"/task/{task_id}/approve")).status_code == 202
        await hooks.until(over)
        assert hooks.seen[-1].json["type"] == "task.completed"


async def test_each_client_verifies_with_its_own_secret(tmp_path: Path) -> None:
    keys = {name: {"Authorization": f"Bearer {name}-key"} for name in ("alice", "bob")}
    chosen = settings(tmp_path, api_keys=SecretStr("alice=alice-key,bob=bob-key"), **LOOPBACK)
    async with receiver() as hooks:
        secrets = {}
        for _ in range(2):  # secrets stay the same across restarts
            async with running_app(chosen) as app:
                for name, key in keys.items():
                    answer = await get_with(app.url, "/webhook-secret", key)
                    assert secrets.setdefault(name, answer["secret"]) == answer["secret"]
                await submitted(app.url, hooks.url, **keys["alice"])
                seen = (await hooks.count(1))[0]
        Webhook(secrets["alice"]).verify(seen.body, dict(seen.headers))
        assert secrets["alice"] != secrets["bob"]


@pytest.mark.one_process("its DATA_DIR is looked at")
async def test_the_key_that_signs_webhooks_is_readable_by_the_service_only(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, **LOOPBACK)):
        assert (tmp_path / "data" / "webhook.key").stat().st_mode & 0o077 == 0


async def get_with(url: str, path: str, headers: Mapping[str, str]) -> Any:
    async with client(url) as http:
        return (await http.get(f"/api/v1{path}", headers=headers)).json()


@pytest.mark.fault(89)
async def test_failing_receivers_delay_neither_tasks_nor_other_receivers(tmp_path: Path) -> None:
    """Row 89: receivers that are down, silent or respond 500; a working one gets everything, and the tasks
    complete."""
    chosen = settings(tmp_path, webhook_secret=SecretStr(SECRET), **LOOPBACK)
    async with (
        receiver() as good,
        receiver(500) as refusing,
        peer(lambda _n: [Act.STALL]) as silent,
        running_app(chosen) as app,
    ):
        bad = [refusing.url, silent.base_url, f"http://127.0.0.1:{closed_port()}"]
        ids = [await submitted(app.url, url, f"bad-{n}") for n, url in enumerate(bad)]
        task_id = await submitted(app.url, good.url)
        await good.until(over)
        assert received(good.seen, task_id) == ALL
        for one in ids:
            while (task := await get(app.url, f"/api/v1/task/{one}"))["status"] != "completed":
                assert task["status"] != "failed", task
                await anyio.sleep(0.05)
        refused = (await get(app.url, f"/api/v1/task/{ids[0]}"))["callback"]
        assert (refused["state"], refused["told"]) == ("failing", 0)
        assert refused["failures"] >= 1
        assert refused["reason"] == "the receiver answered 500"
        assert refused["next_attempt_at"]
        first = {one.headers["webhook-id"] for one in refusing.seen}
        assert len(first) == 1, "in order: nothing else is sent before the first"


@pytest.mark.fault(90)
@pytest.mark.parametrize("failpoint", ["note.before:1", "note.after:1"])
async def test_a_kill_around_storing_a_delivery_loses_nothing(tmp_path: Path, failpoint: str) -> None:
    """Row 90: a delivery that was not stored is repeated with the same id; then the rest follows in order."""
    async with receiver() as hooks, service(tmp_path, VARIABLES, failpoint) as process:
        task_id = await submitted(process.url, f"{hooks.url}/?token={TOKEN}")
        assert await process.ended() == -signal.SIGKILL
        before = [one.headers["webhook-id"] for one in hooks.seen]
        await process.start()
        await hooks.until(over)
        await delivered(process.url, task_id)
        ids = [one.headers["webhook-id"] for one in hooks.seen]
        again = ids[len(before)]
        assert (again in before) == failpoint.startswith("note.before")
        assert list(dict.fromkeys(received(hooks.seen, task_id))) == ALL
        assert list(dict.fromkeys(ids)) == sorted(set(ids), key=lambda one: int(one.rpartition("-")[2]))
        assert TOKEN not in process.log.read_text()


@pytest.mark.fault(90)
async def test_the_next_process_continues_a_waiting_callback(tmp_path: Path) -> None:
    """Row 90: killed while the receiver was down; everything is delivered when it is back."""
    port = closed_port()
    async with service(tmp_path, VARIABLES) as process:
        task_id = await submitted(process.url, f"http://127.0.0.1:{port}/")
        while (await get(process.url, f"/api/v1/task/{task_id}"))["callback"]["state"] != "failing":
            await anyio.sleep(0.01)
        await process.kill()
        await make_due(tmp_path / "data", task_id)
        async with receiver(port=port) as hooks:
            await process.start()
            await hooks.until(over)
            assert received(hooks.seen, task_id) == ALL


@pytest.mark.fault(91)
@pytest.mark.parametrize(
    "address",
    [
        "http://a.example/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "https://me:secret@93.184.215.14/",
        "https://93.184.215.14:22/",
        "ftp://93.184.215.14/",
        "not an address",
    ],
)
async def test_an_address_that_is_not_public_is_refused(tmp_path: Path, address: str) -> None:
    """Row 91: 422 with the field and the reason; nothing is stored."""
    async with running_app(settings(tmp_path)) as app:
        answer = await post(app.url, "/generate", BODY | {"callback_url": address})
        assert answer.status_code == 422
        assert [broken["field"] for broken in answer.json()["errors"]] == ["callback_url"]
        assert (await get(app.url, "/api/v1/tasks"))["tasks"] == []


@pytest.mark.fault(91)
async def test_an_address_is_checked_again_before_each_call(tmp_path: Path) -> None:
    """Row 91: an address that was allowed, and that the next process's settings forbid, is not called."""
    async with receiver(503) as hooks:
        async with service(tmp_path, VARIABLES) as process:
            task_id = await submitted(process.url, hooks.url)
            await hooks.count(1)
            while (await get(process.url, f"/api/v1/task/{task_id}"))["callback"]["failures"] != 1:
                await anyio.sleep(0.01)
            await process.terminate()
        await make_due(tmp_path / "data", task_id)
        async with running_app(settings(tmp_path)) as app:
            while (await get(app.url, f"/api/v1/task/{task_id}"))["callback"]["failures"] != 2:
                await anyio.sleep(0.01)
            callback = (await get(app.url, f"/api/v1/task/{task_id}"))["callback"]
            assert callback["reason"] == "the address must be an https address"
        assert len(hooks.seen) == 1


async def make_due(data_dir: Path, task_id: str) -> None:
    """End the wait before its next attempt."""
    async with stored_tasks(data_dir) as store:
        found = await store.callback(task_id)
        assert found
        await store.save_callback(replace(found, due=0))
