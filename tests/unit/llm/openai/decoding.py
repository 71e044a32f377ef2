"""Decodes scripted bodies without a server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from gencode.llm.openai.completion_decoder import CompletionDecoder
from gencode.llm.openai.think_block import ModelHabits
from gencode.llm.port import ChatChunk, ChatRequest, Message, Usage
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.provider import BodyEnd

ASK = ChatRequest(messages=(Message(role="user", content="u"),), max_tokens=7)
JSON = replace(ASK, json=True)
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """`chunks`: the text of each block, for when it matters what is certain when."""

    text: str
    reasoning: str
    finish: str | None
    usage: Usage | None
    chunks: list[str]


def event(delta: Any, finish: Any = None, **more: Any) -> bytes:
    """One event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


def text(content: str, finish: Any = None, **more: Any) -> bytes:
    return event({"content": content}, finish, **more)


STOP = event({}, "stop")


def new_decoder(request: ChatRequest = ASK, **habits: bool) -> CompletionDecoder:
    return CompletionDecoder(request, ErrorMapper("test"), ModelHabits(**habits))


def decode(
    *blocks: bytes, request: ChatRequest = ASK, end: BodyEnd = BodyEnd.COMPLETE, **habits: bool
) -> Decoded:
    """The answer in these blocks; raises the error for one that cannot be used."""
    decoder = new_decoder(request, **habits)
    chunks = list(_chunks(decoder, blocks))
    last, error = decoder.finish(end)
    if error:
        raise error
    chunks.append(last)
    return Decoded(
        text="".join(chunk.text for chunk in chunks),
        reasoning="".join(chunk.reasoning for chunk in chunks),
        finish=last.finish_reason,
        usage=last.usage,
        chunks=[chunk.text for chunk in chunks],
    )


def _chunks(decoder: CompletionDecoder, blocks: Iterable[bytes]) -> Iterable[ChatChunk]:
    for block in blocks:
        if decoder.over:
            return
        yield decoder.feed(block)
