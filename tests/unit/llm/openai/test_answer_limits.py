"""How much of an answer is received, kept and parsed."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import anyio
import anyio.lowlevel
import pytest

from gencode.llm.errors import LLMTooLarge
from gencode.llm.streaming.event_json import MAX_EVENT
from gencode.llm.streaming.provider import BodyEnd
from gencode.outbound.content_decoder import MAX_PIECE
from tests.unit.llm.openai.decoding import ASK, JSON, decode, event, new_decoder, text
from tests.unit.llm.streaming.test_body_reader import body_of, reader

LIMIT = 1000
SMALL = replace(ASK, max_text=LIMIT)
THINKING = "Okay, the user wants a file and I think about it at length. "
"""Text that is held back until its end, since a closing tag may follow."""


@pytest.mark.parametrize("piece", ["x = 1\n", THINKING, "</think", '<think x="', " "])
@pytest.mark.parametrize("json_only", [False, True])
def test_an_answer_is_left_as_soon_as_its_text_exceeds_the_limit(piece: str, json_only: bool) -> None:
    """Also one of which nothing has been returned yet; what was received is charged."""
    decoder = new_decoder(replace(SMALL, json=json_only))
    received = 0
    returned = ""
    while not decoder.over:
        assert received <= LIMIT + 3 * len(piece), "it goes on reading"
        chunk = decoder.feed(text(piece if received % 2 else f"{piece}."))
        received += len(piece) + (received % 2 == 0)
        returned += chunk.text + chunk.reasoning
    last, error = decoder.finish(BodyEnd.CLOSED)
    assert isinstance(error, LLMTooLarge)
    assert str(LIMIT) in error.message
    assert len(returned + last.text + last.reasoning) >= received - len("</think.") * 2


def test_reasoning_does_not_count() -> None:
    thought = "<think>" + "so " * LIMIT
    found = decode(text(thought), text("</think>\nx = 1\n"), text("y = 2\n", "stop"), request=SMALL)
    assert found.text == "x = 1\ny = 2\n"
    found = decode(event({"reasoning_content": "so " * LIMIT}), text("x = 1\n", "stop"), request=SMALL)
    assert found.text == "x = 1\n"


def test_one_event_may_hold_a_whole_file_and_not_more() -> None:
    whole = "x = '\\u00e4'\n" * (MAX_EVENT // 32)
    document = json.dumps({"choices": [{"message": {"content": whole}, "finish_reason": "stop"}]}).encode()
    assert decode(document, request=replace(ASK, max_text=MAX_EVENT)).text == whole
    for body in (text("x" * MAX_EVENT), document[:-2] + b" " * MAX_EVENT + document[-2:]):
        with pytest.raises(LLMTooLarge):
            decode(body, request=replace(ASK, max_text=2 * MAX_EVENT))


def test_a_line_that_does_not_end_is_left_at_the_limit() -> None:
    decoder, block, fed = new_decoder(), b"x" * 2**20, 0
    decoder.feed(b'data: {"choices": [')
    while not decoder.over:
        decoder.feed(block)
        fed += len(block)
        assert fed <= MAX_EVENT + len(block)
    assert isinstance(decoder.finish(BodyEnd.CLOSED)[1], LLMTooLarge)


@pytest.mark.parametrize("value", ["{}", "[]", "0", '""', "[[[]]]"])
def test_an_event_of_many_values_is_not_parsed(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 MB of `{},{},...` are 100 MB of objects, and the interpreter lock is held while they are made."""
    parsed = []
    monkeypatch.setattr("gencode.llm.streaming.event_json._decode_first", parsed.append)
    with pytest.raises(LLMTooLarge):
        decode(b'data: {"choices": [' + f"{value},".encode() * 150_000 + b"0]}\n\n")
    assert parsed == []


def test_punctuation_within_an_answer_is_no_value() -> None:
    found = decode(text('[{,"' * 100_000, "stop"), request=JSON)
    assert found.text == '[{,"' * 100_000


async def test_others_have_their_turn_between_the_pieces_of_one_read() -> None:
    """A read of 64 KiB can be 64 MiB of text, which used to be decoded without a pause."""
    pieces, turns = 20, 0
    packed = gzip.compress(b"\0" * MAX_PIECE * pieces)

    async def other() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as group:
        group.start_soon(other)
        assert len(await body_of(reader([packed], MAX_PIECE * pieces, content_encoding="gzip")))
        group.cancel_scope.cancel()
    assert turns >= pieces - 1
