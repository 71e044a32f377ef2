"""An answer goes on after kill -9, and every viewer has the same text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.llm.port import Usage
from gencode.pipelines.chat.answer_stream import PIECE_CHARACTERS
from tests.servers.calls import client
from tests.servers.conversations import Chat, last_total, pieces, shown
from tests.servers.model import model_server, stream, text
from tests.servers.service import Service, service
from tests.servers.stream import ReceivedEvent, events, subscribed

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]

ANSWER = " ".join(f"This is sentence number {number} of the answer." for number in range(200))
NATIVE = {"prefix": "deepseek"}


def rest_of_answer(body: dict[str, Any]) -> str:
    """What a model writes that continues as it is told to."""
    last: dict[str, str] = body["messages"][-1]
    if last["role"] == "assistant":
        return ANSWER.removeprefix(last["content"])
    if not last["content"].startswith("Your answer was cut off"):
        return ANSWER
    written, anchor = body["messages"][-2]["content"], last["content"].rpartition("\n")[2]
    return anchor + ANSWER.removeprefix(written)


@pytest.mark.parametrize("quirks", [{}, NATIVE], ids=["told to continue", "native prefix"])
@pytest.mark.parametrize("sent_before", [0, 30, 5000, len(ANSWER)])
async def test_an_answer_goes_on_after_kill_9(
    tmp_path: Path, quirks: dict[str, Any], sent_before: int
) -> None:
    """Each process is killed when the model has sent so much; the last one answers to the end."""
    arrivals = [anyio.Event(), anyio.Event()]
    held, forever = iter(arrivals), anyio.Event()

    def script(body: dict[str, Any]) -> Any:
        answer = rest_of_answer(body)
        if not (arrival := next(held, None)):
            return text(answer, usage=Usage(prompt=50, completion=500))
        arrival.set()
        return stream(*pieces(answer[:sent_before]), forever, *pieces(answer[sent_before:]))

    async with model_server(script) as model:
        named = {"base_url": model.base_url, "model": "m", "quirks": quirks}
        variables = {"PROVIDERS": json.dumps({"scripted": named}), "WORKSPACE": "true"}
        async with service(tmp_path, variables) as process, client(process.url) as http:
            chat = await Chat.begin(http)
            sent = await chat.send(key="once")
            seen: list[ReceivedEvent] = []
            for number, arrival in enumerate(arrivals):
                awaited = [kind for kind, least in AWAITED.items() if sent_before > least and not number]
                seen += await cut_off(process, sent["task_id"], arrival, awaited, last_id(seen))
                assert (await chat.send(key="once"))["task_id"] == sent["task_id"]
            await chat.over(sent)
            message = await chat.last()
            assert (message["status"], message["content"]) == ("complete", ANSWER)
            heard = await events(process.url, sent["task_id"])
            went_on = await events(process.url, sent["task_id"], last_id(seen), include="delta")
            assert shown(heard) == shown([*seen, *went_on]) == ANSWER
            assert [one["role"] for one in await chat.messages()] == ["user", "assistant"]
            assert message["tokens"] == last_total(heard) == (await chat.itself())["total_tokens"]
            assert message["usage"]["is_estimated"]  # of the calls that were cut off, nobody knows the usage


AWAITED = {"delta": 0, "text": PIECE_CHARACTERS}
"""Events that a viewer has before the first kill, by the characters that the model must have sent."""


async def cut_off(
    process: Service, task_id: str, arrival: anyio.Event, awaited: list[str], after: int
) -> list[ReceivedEvent]:
    """Kills the service while the model answers. Returns what a viewer has received until then."""
    async with subscribed(process.url, task_id, after, include="delta") as viewer:
        await arrival.wait()
        for kind in awaited:
            await viewer.until(kind)
    await process.kill()
    await process.start()
    return viewer.heard


def last_id(seen: list[ReceivedEvent]) -> int:
    return max((event.id for event in seen), default=0)
