"""Functions that read the stream of a model server, given in one piece or one character at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from gencode.llm.anthropic.message_decoder import MessageDecoder
from gencode.llm.openai.completion_decoder import CompletionDecoder
from gencode.llm.openai.text_filters import TextFilters
from gencode.llm.openai.think_block import ModelHabits
from gencode.llm.port import ChatRequest, Message
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.line_splitter import LineSplitter
from gencode.llm.streaming.provider import BodyEnd
from gencode.security.secret_detector import SecretDetector

SIZE = 2**17
"""Characters that arrive one by one: each costs some microseconds of Python, whatever the text."""
_ERRORS = ErrorMapper("model")
_ASKED = (Message(role="user", content="a"),)
_REQUESTS = (
    (ChatRequest(messages=_ASKED, max_tokens=8, json=True), ModelHabits()),
    (ChatRequest(messages=_ASKED, max_tokens=8, prefix="x = 1\n"), ModelHabits(reasons_in_text=True)),
)


def _answers(*blocks: bytes) -> None:
    for request, habits in _REQUESTS:
        decoder = CompletionDecoder(request, _ERRORS, habits)
        for block in blocks:
            if not decoder.over:
                decoder.feed(block)
        decoder.finish(BodyEnd.COMPLETE)


def _event(text: str, finish: str | None = None, field: str = "content") -> bytes:
    event = {"choices": [{"index": 0, "delta": {field: text}, "finish_reason": finish}]}
    return f"data: {json.dumps(event)}\n\n".encode()


def _events(text: str) -> None:
    _answers(_event(text), _event("", "stop"))
    _answers(_event(f"<think>{text}"), _event("</think>\nx", "stop"))
    _answers(*(_event(text[:at]) for at in range(256)), _event("", "stop"))


def _raw_body(text: str) -> None:
    body = text.encode("utf-8", "replace")
    for before in (b"", b"data: ", b'data: {"a": ', b": ", b'{"a": "'):
        _answers(before + body)


def _messages(text: str) -> None:
    """Claude's: as an event, and as the bytes of the body."""
    body = text.encode("utf-8", "replace")
    event = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}
    for block in (f"data: {json.dumps(event)}\n\n".encode(), body, b"data: " + body, b'data: {"a": ' + body):
        decoder = MessageDecoder(_REQUESTS[0][0], _ERRORS)
        decoder.feed(block)
        decoder.finish(BodyEnd.COMPLETE)


def _lines(text: str) -> None:
    lines = LineSplitter()
    for byte in text.encode("utf-8", "replace"):
        lines.feed(bytes((byte,)))
    lines.close()


def _secrets(text: str) -> None:
    secrets = SecretDetector(["sk-secret-of-the-service", "a" * 40], "x")
    for character in text:
        secrets.feed(character)


def _refusal(text: str) -> None:
    _answers(*(_event(text[at : at + 100], field="refusal") for at in range(0, len(text), 100)))


def _increments(first: str, text: Iterable[str]) -> None:
    for request, habits in _REQUESTS:
        answer = TextFilters(request, habits)
        for part in (first, *text):
            answer.feed(part)
        answer.close(whole=True)


FUNCTIONS: Mapping[str, Callable[[str], object]] = {
    "events": _events,
    "raw body": _raw_body,
    "messages": _messages,
}
"""Of any text."""
STREAMED: Mapping[str, Callable[[str], object]] = {
    "lines one byte at a time": _lines,
    "secrets one character at a time": _secrets,
    "refusal in many events": _refusal,
    "answer one character at a time": lambda text: _increments("", text),
    "reasoning one character at a time": lambda text: _increments("<think>", text),
    "text after reasoning": lambda text: _increments("<think>a</think>", text),
    "prose one character at a time": lambda text: _increments("Okay, ", text),
}
"""Of a text that arrives in so many parts."""


def streamed_texts() -> Iterator[tuple[str, str]]:
    for token in (
        " ",
        "\n",
        "a",
        "<",
        "<think>",
        "</think>",
        "`</think>`",
        "</s>",
        "sk-secret-of-the-",
        "A b",
    ):
        yield repr(token), token * (SIZE // len(token))
