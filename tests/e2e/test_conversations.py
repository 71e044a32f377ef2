"""Conversations over HTTP: messages, answers as tasks, stop, branches, the window, the bill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.llm.port import Usage
from tests.servers.conversations import CHAT, Chat, last_total, pieces, serving, shown
from tests.servers.model import chunk, http_error, model_server, stream, text
from tests.servers.stream import events, subscribed

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]
UNKNOWN = "00000000-0000-4000-8000-000000000000"
"""The id of no row."""


async def test_an_answer_is_stored_with_its_bill_and_reads_like_the_stream(tmp_path: Path) -> None:
    answer = "Because of Rayleigh scattering. " * 300
    script = text(answer, usage=Usage(prompt=100, completion=900, cached=10))
    async with serving(tmp_path, script) as (http, model):
        chat = await Chat.begin(http, system_prompt="Be brief.")
        sent = await chat.send("Why is the sky blue? I wonder.\nReally.")
        asked, answered = await chat.messages()
        assert (asked["id"], answered["id"]) == (sent["user_message_id"], sent["assistant_message_id"])
        heard = await events(str(http.base_url), sent["task_id"], include="delta")
        assert shown(heard) == answer
        question, message = await chat.messages()
        assert (question["content"], question["tokens"]) == ("Why is the sky blue? I wonder.\nReally.", None)
        assert (message["content"], message["status"]) == (answer, "complete")
        assert message["usage"] | {"cost": None} == {
            "prompt_tokens": 100,
            "completion_tokens": 900,
            "cost": None,
            "is_estimated": False,
        }
        conversation = await chat.itself()
        assert (conversation["title"], conversation["total_tokens"]) == ("Why is the sky blue?", 1000)
        assert conversation["message_count"] == 2
        system, user = model.requests[0].body["messages"]
        assert system["content"].endswith("Be brief.")
        assert user["content"] == question["content"]


async def test_a_stopped_answer_keeps_its_text_and_its_bill(tmp_path: Path) -> None:
    """The stream is held open by the scripted model, so Stop comes in the middle."""
    part, forever = "A beginning that is kept. " * 10, anyio.Event()
    script = lambda body: stream(*pieces(part), forever, *pieces("never"))  # noqa: E731
    async with serving(tmp_path, script) as (http, model):
        chat = await Chat.begin(http)
        sent = await chat.send()
        async with subscribed(str(http.base_url), sent["task_id"], include="delta") as viewer:
            await viewer.until("delta")
            busy = await chat.send("And?", status=409)
            assert busy["code"] == "CONVERSATION_BUSY"
            found = await chat.last()  # as a page that was opened again sees it
            assert (found["status"], part.startswith(found["content"])) == ("streaming", True)
            stopped = await http.post(f"/api/v1/task/{found['task_id']}/cancel")
            assert stopped.json()["status"] == "cancelled"
            heard = await viewer.rest()
        message = await chat.last()
        kept = message["content"]
        assert (message["status"], part.startswith(kept), len(kept) > 20) == ("stopped", True, True)
        assert shown(heard) == shown(await events(str(http.base_url), sent["task_id"])) == kept
        assert message["usage"]["is_estimated"]
        assert message["usage"]["completion_tokens"] > 20
        assert message["tokens"] == last_total(heard) == (await chat.itself())["total_tokens"]
        model.script = text("Because.", usage=Usage(prompt=7, completion=3))
        await chat.ask("And now?")
        assert [one["content"] for one in model.requests[-1].body["messages"][1:]] == [
            "Why?",
            kept,
            "And now?",
        ]
        assert (await chat.itself())["total_tokens"] == message["tokens"] + 10


async def test_a_failed_answer_keeps_its_text_says_why_and_goes_on_when_it_is_retried(tmp_path: Path) -> None:
    part = "This is the beginning of an answer, which was cut off in the middle of "
    broken = stream(*pieces(part), done=False)
    async with serving(tmp_path, [broken, text(""), text("")]) as (http, model):
        chat = await Chat.begin(http)
        sent = await chat.send()
        task = await chat.over(sent)
        message = await chat.last()
        assert (message["status"], task["status"]) == ("failed", "failed")
        kept = message["content"]
        assert part.startswith(kept)
        assert len(kept) > 40
        assert message["failure"]["code"] == task["error"]["code"]
        assert message["tokens"] == last_total(await events(str(http.base_url), sent["task_id"]))

        def continues(body: dict[str, Any]) -> Any:
            anchor = body["messages"][-1]["content"].rpartition("\n")[2]
            assert body["messages"][-2] == {"role": "assistant", "content": kept}
            assert kept.rstrip().endswith(anchor)
            return text(f"{anchor} a sentence.")

        model.script = continues
        assert (await http.post(f"/api/v1/task/{sent['task_id']}/retry")).status_code == 202
        await chat.over(sent)
        message = await chat.last()
        assert (message["status"], message["content"]) == ("complete", kept + " a sentence.")
        assert shown(await events(str(http.base_url), sent["task_id"])) == message["content"]


async def test_an_answer_that_cannot_be_continued_is_begun_again_for_every_viewer(tmp_path: Path) -> None:
    """The last attempt is a new text, which replaces what was shown before."""
    part = "This is the beginning of an answer, which was cut off in the middle of "
    replies = [
        stream(*pieces(part), done=False),
        text("Certainly! Here is the rest of it."),
        text("A wholly new answer.", usage=Usage(prompt=5, completion=5)),
    ]
    async with serving(tmp_path, replies) as (http, _):
        chat = await Chat.begin(http)
        sent = await chat.send()
        async with subscribed(str(http.base_url), sent["task_id"], include="delta") as viewer:
            heard = await viewer.rest()
        message = await chat.last()
        assert message["content"] == shown(heard) == "A wholly new answer."
        assert shown(await events(str(http.base_url), sent["task_id"])) == message["content"]
        assert message["tokens"] == last_total(heard) == (await chat.itself())["total_tokens"]
        assert message["usage"]["is_estimated"]


async def test_one_message_and_one_task_of_a_repeated_request(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text("Yes.")) as (http, model):
        chat = await Chat.begin(http)
        async with anyio.create_task_group() as tg:
            for _ in range(5):
                tg.start_soon(lambda: chat.send("Once?", key="k-1"))
        sent = await chat.send("Once?", key="k-1")
        await chat.over(sent)
        assert [one["content"] for one in await chat.messages()] == ["Once?", "Yes."]
        assert len(model.requests) == 1


async def test_of_two_messages_at_the_same_time_one_is_refused(tmp_path: Path) -> None:
    gate = anyio.Event()
    async with serving(tmp_path, lambda body: text("Yes.", gate=gate)) as (http, _):
        chat = await Chat.begin(http)
        codes: list[int] = []

        async def send(number: int) -> None:
            sent = await http.post(f"{chat.path}/messages", json={"content": f"{number}?"})
            codes.append(sent.status_code)

        async with anyio.create_task_group() as tg:
            for number in range(4):
                tg.start_soon(send, number)
        assert sorted(codes) == [202, 409, 409, 409]
        _, answer = await chat.messages()
        gate.set()
        await chat.over(answer)
        assert [one["status"] for one in await chat.messages()] == ["complete", "complete"]


async def test_branches_keep_their_messages(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text(f"{len(body['messages'])}!")) as (http, _):
        chat = await Chat.begin(http)
        first = await chat.ask("One?")
        second = await chat.ask("Two?")
        again = await chat.again(second["assistant_message_id"])
        await chat.over(again)
        assert again["user_message_id"] == second["user_message_id"]
        edited = await chat.ask("Two, but better?", replaces=second["user_message_id"])
        assert [one["content"] for one in await chat.messages()] == ["One?", "2!", "Two, but better?", "4!"]
        shown_again = await http.post(f"{chat.path}/messages/{second['user_message_id']}/select")
        assert shown_again.status_code == 204
        listed = await chat.messages()
        assert listed[3]["id"] == again["assistant_message_id"]
        assert listed[3]["siblings"] == [second["assistant_message_id"], again["assistant_message_id"]]
        assert listed[2]["siblings"] == [second["user_message_id"], edited["user_message_id"]]
        assert listed[1]["id"] == first["assistant_message_id"]
        exported = (await http.get(f"{chat.path}/export")).json()
        assert len(exported["messages"]) == exported["conversation"]["message_count"] == 7
        assert exported["branch"] == [one["id"] for one in listed]
        markdown = await http.get(f"{chat.path}/export", params={"format": "markdown"})
        assert markdown.text.startswith("# One?\n\n## User\n\nOne?\n\n## Assistant\n\n2!")
        assert await paged(chat, "asc") == [one["id"] for one in listed]
        assert await paged(chat, "desc") == [one["id"] for one in listed][::-1]


async def paged(chat: Chat, order: str) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = (await chat.http.get(f"{chat.path}/messages?order={order}&limit=3&cursor={cursor}")).json()
        found += [one["id"] for one in page["items"]]
        if not (cursor := page["next_cursor"]):
            return found


async def test_a_long_conversation_is_cut_to_the_window_and_says_so(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text("An answer of some words. " * 24)) as (http, model):
        chat = await Chat.begin(http, context_tokens=600, system_prompt="Keep this.")
        for number in range(4):
            sent = await chat.ask(f"Question {number}: " + "why and how? " * 8)
        messages = model.requests[-1].body["messages"]
        assert "Keep this." in messages[0]["content"]
        assert [one["role"] for one in messages[1:]] == ["user", "assistant", "user"]
        assert messages[1]["content"].startswith("Question 2")
        message = await chat.last()
        assert message["context"]["left_out"] == 4
        assert message["context"]["tokens"] <= 600
        (told,) = [
            one.data for one in await events(str(http.base_url), sent["task_id"]) if one.kind == "context"
        ]
        assert (told["left_out"], told["messages"]) == (4, 2)
        refused = await chat.send("far too long " * 400, status=422)
        assert refused["errors"][0]["field"] == "content"


async def test_templates_make_messages_and_system_prompts(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text("Yes.")) as (http, model):

        async def template(name: str, content: str) -> str:
            body = {"name": name, "identifier": name, "content": content}
            return str((await http.post("/api/v1/prompts", json=body)).json()["id"])

        review = await template("review", "Review this {{ language }}:\n{{ content }}")
        system = await template("system", "You are a pirate.")
        chat = await Chat.begin(http, prompt_template_id=system)
        await chat.ask("x = 1", template_id=review, variables={"language": "Python"})
        prompt = model.requests[-1].body["messages"]
        assert prompt[0]["content"].endswith("You are a pirate.")
        assert prompt[1]["content"] == "Review this Python:\nx = 1"
        assert (await chat.messages())[0]["prompt_template_id"] == review
        for fields in ({"variables": {"x": "y"}}, {"template_id": review}, {"content": " "}):
            refused = await http.post(f"{chat.path}/messages", json={"content": "x", **fields})
            assert refused.status_code == 422, fields
        refused = await http.post(CHAT, json={"prompt_template_id": review})
        assert refused.json()["errors"][0]["field"] == "prompt_template_id"


async def test_a_deleted_conversation_stops_its_answer_and_hides_its_messages(tmp_path: Path) -> None:
    forever = anyio.Event()
    script = lambda body: stream(chunk({"content": "x"}), forever)  # noqa: E731
    async with serving(tmp_path, script) as (http, model):
        chat = await Chat.begin(http, title="To be deleted")
        sent = await chat.send()
        await model.arrival("chat")
        assert len((await http.get(CHAT, params={"q": "be del"})).json()["items"]) == 1
        assert (await http.delete(chat.path)).status_code == 204
        assert (await chat.over(sent))["status"] == "cancelled"
        for path in (chat.path, f"{chat.path}/messages", f"{chat.path}/export"):
            assert (await http.get(path)).status_code == 404
        await chat.send("Still there?", status=404)


async def test_a_conversation_can_be_begun_by_its_first_message(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text("Yes.")) as (http, _):
        begun = await http.post("/api/v1/pipelines/chat", json={"content": "Is it so?", "model": "scripted"})
        assert begun.status_code == 202, begun.text
        task = (await http.get(begun.json()["task_url"])).json()
        chat = Chat(http, task["conversation_id"])
        await chat.over(begun.json())
        assert [one["content"] for one in await chat.messages()] == ["Is it so?", "Yes."]
        assert (await chat.itself())["title"] == "Is it so?"
        request = (await http.get(f"/api/v1/task/{task['task_id']}/request")).json()
        assert request["content"] == "Is it so?"


@pytest.mark.parametrize("is_offline", [False, True], ids=["scripted", "offline"])
async def test_citations_of_a_knowledge_base_are_verified(tmp_path: Path, is_offline: bool) -> None:
    text_of_guide = "# Backups\n\nBackups run at three in the night. They are kept for 30 days."
    answer = 'At three [1].\n[1] "Backups run at three in the night."\n[1] "They are kept for 90 days."'
    async with serving(tmp_path, lambda body: text(answer)) as (http, model):
        base = (await http.post("/api/v1/knowledge/bases", json={"name": "Guides"})).json()["id"]
        document = {"name": "guide.md", "text": text_of_guide}
        added = await http.post(f"/api/v1/knowledge/bases/{base}/documents", json=document)
        await events(str(http.base_url), added.json()["task_id"])
        fields = {"model": "offline"} if is_offline else {}
        chat = await Chat.begin(http, knowledge_base_id=base, **fields)
        sent = await chat.ask("When do the backups run?")
        message = await chat.last()
        assert message["status"] == "complete", message
        assert (message["context"]["sources"], message["context"]["is_complete"]) == (1, True)
        first, second = message["citations"]
        assert (first["is_verified"], first["document_name"], first["number"]) == (True, "guide.md", 1)
        assert text_of_guide[first["start"] : first["end"]] == first["quote"]
        assert second["is_verified"] == is_offline
        if is_offline:
            assert "not a language model" in message["content"]
        else:
            system = model.requests[-1].body["messages"][0]["content"]
            assert "Backups run at three in the night." in system
            assert second["reason"] == "not_found"
        told = [one for one in await events(str(http.base_url), sent["task_id"]) if one.kind == "citations"]
        assert told[0].data["citations"] == message["citations"]
        await http.delete(f"/api/v1/knowledge/bases/{base}")
        refused = await chat.send("And now?", status=422)
        assert refused["errors"][0]["field"] == "knowledge_base_id"
        assert (await http.patch(chat.path, json={"title": "Old"})).status_code == 200
        for call, path in ((http.post, "/api/v1/chat/conversations"), (http.patch, chat.path)):
            answer = await call(path, json={"knowledge_base_id": UNKNOWN})
            assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "exists")


async def test_answers_that_nobody_watches_are_not_lost(tmp_path: Path) -> None:
    gate = anyio.Event()

    def script(body: dict[str, Any]) -> Any:
        question = body["messages"][-1]["content"]
        return stream(*pieces(f"The answer to {question} is here."), gate, *pieces(" And its end."))

    async with serving(tmp_path, script) as (http, _):
        chats = [await Chat.begin(http) for _ in range(2)]
        sent = [await chat.send(f"question {number}") for number, chat in enumerate(chats)]
        async with subscribed(str(http.base_url), sent[0]["task_id"], include="delta") as viewer:
            await viewer.until("delta")
        gate.set()
        for number, chat in enumerate(chats):
            await chat.over(sent[number])
            message = await chat.last()
            assert message["content"] == f"The answer to question {number} is here. And its end."


async def test_the_bill_after_a_failover_is_that_of_both_models(tmp_path: Path) -> None:
    prices = {"price_prompt": "1000", "price_completion": "2000"}
    usage = Usage(prompt=30, completion=20)
    async with (
        model_server(lambda body: http_error(402, "no money")) as first,
        serving(tmp_path, lambda body: text("Yes.", usage=usage), workspace_allow_networks="127.0.0.0/8") as (
            http,
            second,
        ),
    ):
        for name, model in (("first", first), ("second", second)):
            config = {"name": name, "provider": "compatible", "base_url": model.base_url, "model": "m"}
            made = await http.post(
                "/api/v1/ai/models", json={**config, **prices, "is_default": name == "first"}
            )
            assert made.status_code == 201, made.text
        chat = await Chat.begin(http, model=None)
        sent = await chat.ask()
        message = await chat.last()
        assert (message["content"], message["tokens"]) == ("Yes.", 50)
        assert message["usage"]["cost"] == (await chat.itself())["cost"] == "0.070000"
        heard = await events(str(http.base_url), sent["task_id"])
        assert [one.kind for one in heard].count("failover") == 1
        assert last_total(heard) == 50


async def test_assistants_send_messages_and_read_answers(tmp_path: Path) -> None:
    async with serving(tmp_path, lambda body: text("Yes.")) as (http, _):

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
            headers = {"Accept": "application/json, text/event-stream"}
            params = {"name": tool, "arguments": arguments}
            answer = await http.post("/mcp", json={**body, "params": params}, headers=headers)
            result: dict[str, Any] = answer.json()["result"]
            return result

        sent = (await call("chat", content="Is it so?", model="scripted"))["structuredContent"]
        await call("status", task_id=sent["task_id"], wait_seconds=30)
        read = (await call("answer", task_id=sent["task_id"]))["structuredContent"]
        assert (read["content"], read["status"]) == ("Yes.", "complete")
        assert read["conversation_id"] == sent["conversation_id"]
        assert (await call("answer", task_id="unknown"))["isError"]
