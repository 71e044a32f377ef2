"""What a message may cost, and requests to conversations that nobody should send."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.conversations import Chat, serving
from tests.servers.model import text

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]


async def test_limits_hold_and_a_retry_may_lift_them(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text("Yes.")) as (http, _):
        chat = await Chat.begin(http)
        sent = await chat.ask("Why?", max_tokens=100)
        message = await chat.last()
        assert (message["failure"]["code"], message["tokens"], message["content"]) == (
            "BUDGET_EXCEEDED",
            0,
            "",
        )
        lifted = await http.post(f"/api/v1/task/{sent['task_id']}/retry", json={"max_tokens": None})
        assert lifted.status_code == 202, lifted.text
        await chat.over(sent)
        assert (await chat.last())["content"] == "Yes."
        refused = await chat.send("Why?", status=422, max_cost="1")
        assert refused["errors"][0]["field"] == "max_cost"


HOSTILE = [
    {"content": "\x00"},
    {"content": "x", "replaces": "11111111-2222-4333-8444-555555555555"},
    {"content": "x", "replaces": "../x"},
    {"content": "x", "template_id": "11111111-2222-4333-8444-555555555555"},
    {"content": "x", "deadline": "2001-01-01T00:00:00Z"},
    {"content": "x", "model": "config/11111111-2222-4333-8444-555555555555"},
    {"content": ["x"]},
    {"content": "x" * 100_001},
    {"content": "x", "conversation_id": "11111111-2222-4333-8444-555555555555"},
]


async def test_hostile_requests_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text("Yes.")) as (http, _):
        chat = await Chat.begin(http)
        for body in HOSTILE:
            answer = await http.post(f"{chat.path}/messages", json=body)
            assert answer.status_code in (404, 422), (body, answer.text)
        for content in (b'{"content": "\\ud800"}', b'{"content": "a", "content": "b"}', b"[]", b"\xff"):
            headers = {"Content-Type": "application/json"}
            answer = await http.post(f"{chat.path}/messages", content=content, headers=headers)
            assert answer.status_code in (400, 422), (content, answer.text)
        for path in ("?cursor=x", "?order=up", "?limit=0", "/11111111-2222-4333-8444-555555555555"):
            assert (await http.get(f"{chat.path}/messages{path}")).status_code in (404, 422)
        for change in ({"title": "a\x00"}, {"context_tokens": 1}, {"prompt_template_id": "x"}):
            assert (await http.patch(chat.path, json=change)).status_code == 422
        assert await chat.messages() == []
        assert (await http.get("/api/v1/tasks")).json()["tasks"] == []
