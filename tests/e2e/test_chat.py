"""Slash commands of Slack and Mattermost, sent as these send them, and the messages posted in reply."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from pydantic import SecretStr

from gencode.engine.ports.store import TaskQuery
from gencode.notifications.chat_replies import ChatNotifier, escape_for_mattermost, escape_for_slack
from tests.servers.calls import FILES, client, get
from tests.servers.model import http_error, model_server, plan_and_files
from tests.servers.receiver import Receiver, receiver
from tests.servers.service import ROOT, App, running_app, service, settings
from tests.unit.notifications.texts import GenerateTexts
from tests.unit.storage.samples import a_task

SECRET, TOKEN, HOOK = "slack-signing-secret-1", "mattermost-token-1", "canary-of-a-response-url"


@asynccontextmanager
async def app_with_chat(tmp_path: Path, hooks: Receiver, **more: Any) -> AsyncIterator[App]:
    chosen = settings(
        tmp_path,
        slack_signing_secret=SecretStr(SECRET),
        slack_hooks=hooks.url,
        mattermost_token=SecretStr(TOKEN),
        mattermost_url=hooks.url,
        webhook_allow_networks="127.0.0.1/32",
        webhook_allow_http=True,
        **more,
    )
    async with running_app(chosen) as app:
        yield app


def form(hooks: Receiver | None, text: str, **more: str) -> dict[str, str]:
    fields = {"command": "/gencode", "text": text, "team_id": "T1", "user_id": "U1", "trigger_id": "13.1"}
    return fields | ({"response_url": f"{hooks.url}/commands/{HOOK}"} if hooks else {}) | more


def signed(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": f"v0={digest}"}


async def command(
    url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> httpx.Response:
    body = urlencode(fields).encode()
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    async with client(url) as http:
        proof = signed(body) if headers is None else headers
        return await http.post("/integrations/slack", content=body, headers=media | dict(proof))


async def answer_to(url: str, fields: Mapping[str, str]) -> str:
    answer = await command(url, fields)
    assert answer.status_code == 200, answer.text
    assert answer.json()["response_type"] == "ephemeral"
    return str(answer.json()["text"])


def has_final_message(hooks: Receiver) -> bool:
    return any("success" in one.json["text"] or "[" in one.json["text"] for one in hooks.seen)


async def test_a_slash_command_is_acknowledged_and_its_result_is_posted(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        receiver(200) as hooks,
        app_with_chat(tmp_path, hooks, providers=settings(tmp_path, model).providers) as app,
    ):
        text = await answer_to(app.url, form(hooks, "hello say &lt;hello&gt; &amp; goodbye"))
        first, status, cancel = text.splitlines()
        assert first.startswith("hello: Task created successfully")
        task_id = status.rpartition(" ")[2]
        assert (status, cancel) == (f"/gencode status {task_id}", f"/gencode cancel {task_id}")
        await hooks.until(lambda _seen: has_final_message(hooks))
        told = [one.json["text"] for one in hooks.seen]
        assert len(told) == 3, "Slack takes five"
        assert re.match("hello: Task completed successfully (http://127.0.0.1:|file:///)", told[-1])
        assert {one.path for one in hooks.seen} == {f"/commands/{HOOK}"}
        assert "say <hello> & goodbye" in json.dumps(model.requests[0].body)
        assert "completed" in await answer_to(app.url, form(hooks, f"status {task_id}"))
        assert "[ALREADY_OVER]" in await answer_to(app.url, form(hooks, f"cancel {task_id}"))
        other = form(hooks, f"status {task_id}", user_id="U2")
        assert "[NOT_FOUND]" in await answer_to(app.url, other)


@pytest.mark.fault(92)
async def test_a_repeated_command_is_executed_once(tmp_path: Path) -> None:
    """Row 92."""
    async with receiver(200) as hooks, app_with_chat(tmp_path, hooks) as app:
        answers = [await answer_to(app.url, form(hooks, "hello a static page")) for _ in range(3)]
        ids = {answer.splitlines()[1] for answer in answers}
        assert len(ids) == 1
        other = await answer_to(app.url, form(hooks, "hello-2 a static page", trigger_id="13.2"))
        assert other.splitlines()[1] not in ids
        counted = await app.services.store.find(TaskQuery())
        assert len(counted) == 2
        assert {task.principal.id for task in counted} == {"slack:T1/U1"}


@pytest.mark.parametrize("text", ["", "help", "help me", "hello", "status", "  "])
async def test_an_unknown_or_empty_command_is_answered_with_help(tmp_path: Path, text: str) -> None:
    async with receiver() as hooks, app_with_chat(tmp_path, hooks) as app:
        assert "/gencode my-flask-app" in await answer_to(app.url, form(hooks, text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no/name a page", "repo_name: must be 1 to 100 characters"),
        ("status nothing", "there is no such task"),
        ("<!channel> a page", "[VALIDATION]"),
    ],
)
async def test_errors_are_answered_to_the_sender_of_the_command(
    tmp_path: Path, text: str, expected: str
) -> None:
    async with receiver() as hooks, app_with_chat(tmp_path, hooks) as app:
        answer = await answer_to(app.url, form(hooks, text))
        assert expected in answer
        assert "<!" not in answer


async def test_the_rate_limit_applies_per_person(tmp_path: Path) -> None:
    async with receiver(200) as hooks, app_with_chat(tmp_path, hooks, rate_limit="1/hour") as app:
        await answer_to(app.url, form(hooks, "hello a static page"))
        assert "[RATE_LIMITED]" in await answer_to(
            app.url, form(hooks, "other a static page", trigger_id="2")
        )
        assert "created" in await answer_to(app.url, form(hooks, "hello a static page", user_id="U2"))


async def test_a_failure_is_posted_with_its_code(tmp_path: Path) -> None:
    async with (
        model_server(http_error(401, {"message": "<!channel> @here"})) as model,
        receiver(200) as hooks,
        app_with_chat(tmp_path, hooks, providers=settings(tmp_path, model).providers) as app,
    ):
        await answer_to(app.url, form(hooks, "hello a page"))
        await hooks.until(lambda _seen: has_final_message(hooks))
        last = hooks.seen[-1].json["text"]
        assert last.endswith("[LLM_AUTH]")
        assert "<!channel>" not in last
        assert "@here" not in last


# --- proof ------------------------------------------------------------------------------------------


HELP = urlencode(form(None, "help")).encode()


@pytest.mark.fault(92)
@pytest.mark.parametrize(
    "sign",
    [
        dict,
        lambda: {"X-Slack-Signature": "v0=x"},
        lambda: signed(b"another body"),
        lambda: signed(HELP, secret="wrong"),
        lambda: signed(HELP, at=time.time() - 600),
        lambda: signed(HELP, at=time.time() + 600),
        lambda: signed(HELP) | {"X-Slack-Request-Timestamp": "²"},
        lambda: signed(HELP) | {"X-Slack-Signature": "v0=é"},
    ],
)
async def test_requests_without_a_fresh_signature_of_slack_are_refused(
    tmp_path: Path, sign: Callable[[], dict[str, str]]
) -> None:
    """Signed when the test runs: a signature ages."""
    async with receiver() as hooks, app_with_chat(tmp_path, hooks) as app:
        raw = {name: value.encode("latin-1") for name, value in sign().items()}
        answer = await command(app.url, form(None, "help"), raw)  # type: ignore[arg-type]  # bytes, as sent
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "fields",
    [
        {"team_id": ""},
        {"user_id": "../x"},
        {"response_url": "https://evil.example/x"},
        {"response_url": "http://169.254.169.254/"},
        {"response_url": ""},
    ],
)
async def test_requests_that_slack_never_sends_are_refused_and_nothing_is_stored(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    async with receiver() as hooks, app_with_chat(tmp_path, hooks) as app:
        answer = await command(app.url, form(hooks, "hello a page") | fields)
        assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED")
        assert await app.services.store.find(TaskQuery()) == []


async def test_without_its_settings_a_chat_integration_does_not_exist(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app:
        answer = await command(app.url, form(None, "help"))
        assert answer.status_code == 404
        assert "docs/chat.md" in answer.json()["detail"]


async def test_mattermost_commands_work_alike(tmp_path: Path) -> None:
    async with receiver(200) as hooks, app_with_chat(tmp_path, hooks) as app, client(app.url) as http:
        fields = form(hooks, "hello a static page & <more>", token=TOKEN)
        assert (await http.post("/integrations/mattermost", data=fields | {"token": "x"})).status_code == 401
        answer = await http.post("/integrations/mattermost", data=fields)
        assert answer.status_code == 200
        await hooks.until(lambda _seen: has_final_message(hooks))
        (task,) = await app.services.store.find(TaskQuery())
        assert task.principal.id == "mattermost:T1/U1"


# --- messages ---------------------------------------------------------------------------------------


def test_messages_mention_nobody_and_format_nothing() -> None:
    text = "a <!channel> & <@U1> @here\nsecond *line*"
    assert escape_for_slack(text) == "a &amp; &lt;@\u200bU1&gt; @\u200bhere second *line*"
    assert escape_for_slack("1 < 2 & 3 > 2") == "1 &lt; 2 &amp; 3 &gt; 2"
    shown = escape_for_mattermost("@all [x](http://evil) ![i](http://evil/i.png) `c`")
    assert shown.startswith("@\u200ball \\[x\\]\\(http://evil\\) \\!\\[i\\]")
    chat = ChatNotifier("slack", "https://hooks.slack.com", escape_for_slack, None, GenerateTexts())  # type: ignore[arg-type]  # posts nothing
    line = chat.line(a_task(parameters={"repo_name": "r"}), "done", "https://h/r|<!here>")
    assert "<" not in line


async def test_an_expired_response_url_is_not_called_again(tmp_path: Path) -> None:
    async with receiver(404) as hooks, app_with_chat(tmp_path, hooks) as app:
        text = await answer_to(app.url, form(hooks, "hello a static page"))
        task_id = text.splitlines()[1].rpartition(" ")[2]
        while not (found := await app.services.callbacks.outbox.callback(task_id)) or not found.ended:
            await anyio.sleep(0.01)
        assert len(hooks.seen) == 1


@pytest.mark.one_process("it is killed at a moment within")
async def test_unsent_messages_are_sent_after_a_crash(tmp_path: Path) -> None:
    async with receiver(200) as hooks:
        variables = {
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_HOOKS": hooks.url,
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.1/32",
            "WEBHOOK_ALLOW_HTTP": "true",
        }
        async with service(tmp_path, variables, "note.before:1") as process:
            await answer_to(process.url, form(hooks, "hello a static page"))
            assert await process.ended() == -signal.SIGKILL
            await process.start()
            await hooks.until(lambda _seen: has_final_message(hooks))
            assert hooks.seen[-1].json["text"].startswith("hello: Task completed")
            assert HOOK not in process.log.read_text()
            assert 'kind="slack"' in await get(process.url, "/metrics")


@pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "openssl"))), reason="needs bash, curl, openssl"
)
async def test_the_example_of_the_document_works(tmp_path: Path) -> None:
    document = (ROOT / "docs/chat.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(BODY=.*?)^```$", document, re.DOTALL | re.MULTILINE)
    chosen = settings(tmp_path, slack_signing_secret=SecretStr("a-secret-for-trying"))
    async with running_app(chosen) as app:
        script = block.replace("http://127.0.0.1:8080", app.url)
        done = await anyio.run_process(["bash", "-euo", "pipefail", "-c", script])
    assert "/gencode REPOSITORY-NAME" in json.loads(done.stdout)["text"]
