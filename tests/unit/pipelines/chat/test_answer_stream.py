"""The text of an answer over several attempts: what is asked, what is stored, and what a viewer has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.errors import LLMBadOutput
from gencode.llm.port import ChatRequest, Message
from gencode.pipelines.chat.answer_stream import ANCHOR, PIECE_CHARACTERS, REFUSED, AnswerStream
from gencode.workspace.conversations.written_text import WrittenText, written_text

REQUEST = ChatRequest(messages=(Message(role="user", content="Why?"),), max_tokens=100, prose=True)
TEXT = "The sky is blue because air scatters blue light more than red light, as Rayleigh found. "


@dataclass
class Log:
    """Stands for the task log."""

    updates: list[StageUpdate] = field(default_factory=list)
    checkpoints: dict[str, str] = field(default_factory=dict)

    async def __call__(self, *updates: StageUpdate) -> None:
        self.updates += updates
        for update in updates:
            self.checkpoints |= update.checkpoints

    @property
    def stored(self) -> WrittenText:
        return written_text(self.checkpoints)

    def kinds(self) -> list[str]:
        return [update.kind for update in self.updates]


def delta(text: str) -> StageUpdate:
    return StageUpdate(kind="delta", data={"about": "answer", "offset": 0, "text": text}, live=True)


def retried(code: str) -> StageUpdate:
    return StageUpdate(kind="retry", data={"code": code})


async def begun(log: Log, written: str = "", *, native: bool = False, **fields: Any) -> AnswerStream:
    stream = AnswerStream(log, REQUEST, WrittenText(text=written), **fields)
    stream.has_native_prefix = lambda: native
    log.checkpoints |= {"text:1:0": json.dumps(written)} if written else {}
    return stream


async def test_text_is_stored_in_pieces_and_shown_at_once() -> None:
    log = Log()
    stream = await begun(log)
    assert await stream.next_request() == REQUEST
    for start in range(0, 2 * PIECE_CHARACTERS, 100):
        await stream(delta("x" * 99 + str(start % 7)))
    assert log.kinds().count("text") == 2
    await stream(delta("the end"))
    assert log.stored.text == stream.written.text.removesuffix("the end")
    await log(stream.last_piece())
    assert log.stored == stream.written
    assert stream.last_piece() == StageUpdate()
    offsets = [update.data["offset"] for update in log.updates if update.kind == "delta"]
    assert offsets == list(range(0, 2 * PIECE_CHARACTERS + 1, 100))


async def test_a_native_prefix_is_continued_as_it_stands() -> None:
    log = Log()
    stream = await begun(log, TEXT, native=True)
    assert (await stream.next_request()).prefix == TEXT
    await stream(delta("More."))
    await stream.store()
    assert log.stored == WrittenText(round=1, text=TEXT + "More.")


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("before", ["", "\n ", "  "])
async def test_a_model_that_repeats_the_end_continues(size: int, before: str) -> None:
    log = Log()
    stream = await begun(log, TEXT)
    *earlier, written, instruction = (await stream.next_request()).messages
    assert (tuple(earlier), written.role, written.content) == (REQUEST.messages, "assistant", TEXT)
    anchor = instruction.content.rpartition("\n")[2]
    assert TEXT.rstrip().endswith(anchor)
    assert len(anchor) <= ANCHOR
    answer = f"{before}{anchor} So it is."
    for start in range(0, len(answer), size):
        await stream(delta(answer[start : start + size]))
    stream.check()
    await stream.store()
    assert log.stored == WrittenText(round=1, text=TEXT + "So it is.")


@pytest.mark.parametrize("answer", ["Certainly! It is blue because", "more than red light, as", "The sky"])
async def test_a_model_that_does_not_repeat_the_end_begins_again(answer: str) -> None:
    log = Log()
    stream = await begun(log, TEXT)
    await stream.next_request()

    async def attempt() -> None:
        await stream(delta(answer))
        stream.check()

    with pytest.raises(LLMBadOutput):
        await attempt()
    assert log.stored.text == TEXT
    assert await stream.next_request() == REQUEST
    assert (log.stored, stream.is_begun) == (WrittenText(round=2), False)
    await stream(delta("Another answer."))
    await stream.store()
    assert log.stored == WrittenText(round=2, text="Another answer.")


async def test_a_short_text_is_begun_again_and_a_blank_answer_discards_nothing() -> None:
    log = Log()
    assert await (await begun(log, "The sky")).next_request() == REQUEST
    assert log.stored == WrittenText(round=2)
    other = Log()
    stream = await begun(other, TEXT)
    await stream.next_request()
    with pytest.raises(LLMBadOutput):
        stream.check()
    await stream(retried("LLM_BAD_OUTPUT"))
    assert len((await stream.next_request()).messages) == 3
    assert other.stored.text == TEXT


@pytest.mark.parametrize("native", [True, False])
async def test_what_an_unusable_answer_has_added_is_not_continued(native: bool) -> None:
    """Such as reasoning that was recognised at its end only; also by the next run of the stage."""
    log = Log()
    stream = await begun(log, native=native)
    await stream.next_request()
    await stream(delta(TEXT))
    await stream(retried("LLM_BAD_OUTPUT"))
    assert await stream.next_request() == REQUEST
    await stream(delta(TEXT))
    await stream.attempt_was_unusable()
    await stream.store()
    is_refused = log.checkpoints[REFUSED] == str(log.stored.round)
    assert (log.stored, is_refused) == (WrittenText(round=2, text=TEXT), True)
    later = AnswerStream(log, REQUEST, log.stored, is_continuable=False)
    later.has_native_prefix = lambda: native
    assert await later.next_request() == REQUEST


async def test_a_connection_that_breaks_keeps_what_has_arrived() -> None:
    log = Log()
    stream = await begun(log, native=True)
    await stream.next_request()
    await stream(delta(TEXT))
    await stream(retried("LLM_NETWORK"))
    assert (await stream.next_request()).prefix == TEXT
    assert log.stored.text == TEXT


async def test_the_result_has_the_usage_of_all_calls() -> None:
    log = Log()
    stream = await begun(log)
    total = {"prompt": 1, "completion": 2, "estimated": False, "cost": None}
    await stream(StageUpdate(kind="usage", data={"total": total}), StageUpdate(kind="other"))
    assert [update.result for update in log.updates] == [{"usage": total}, {}]
    await stream(delta("a\x00b"))
    assert stream.written.text == "a\ufffdb"
