"""Whatever a server sends: an answer or one error, and the same however its bytes are cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gencode.llm.anthropic.message_decoder import MessageDecoder
from gencode.llm.errors import ProviderError
from gencode.llm.port import Usage
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.provider import BodyEnd
from tests.servers.claude import end, sse, start, text_delta
from tests.servers.model_client import ASK

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ("type", "text", "thinking", "delta", "content_block", "message", "usage", "error", "stop_reason")
COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens")
TYPES = (
    *("message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"),
    *("ping", "error", "text_delta", "thinking_delta", "redacted_thinking", "end_turn", "refusal"),
)
FIELDS: st.SearchStrategy[Any] = st.recursive(
    VALUES | st.sampled_from(TYPES),
    lambda inner: st.dictionaries(st.sampled_from((*NAMES, *COUNTS)), inner, max_size=5),
    max_leaves=8,
)
BLOCKS = st.lists(
    st.binary(max_size=40)
    | FIELDS.map(lambda event: f"data: {json.dumps(event)}\n\n".encode())
    | st.sampled_from([sse(start()), sse(text_delta("hello")), *map(sse, end("end_turn"))]),
    max_size=12,
)


def decoded(
    blocks: Sequence[bytes], body_end: BodyEnd = BodyEnd.CLOSED
) -> tuple[str, str, Usage | None, type[ProviderError] | None]:
    """Text, reasoning, usage, and the class of the failure."""
    decoder = MessageDecoder(ASK, ErrorMapper("claude/x"))
    chunks = []
    for block in blocks:
        if decoder.over:
            break
        chunks.append(decoder.feed(block))
    last, failure = decoder.finish(body_end)
    chunks.append(last)
    assert (last.finish_reason is None) == (failure is not None)
    text = "".join(chunk.text for chunk in chunks)
    reasoning = "".join(chunk.reasoning for chunk in chunks)
    (text + reasoning).encode()
    return text, reasoning, last.usage, type(failure) if failure else None


@given(BLOCKS, st.sampled_from(BodyEnd))
def test_nothing_but_an_answer_or_an_error_comes_out(blocks: list[bytes], body_end: BodyEnd) -> None:
    decoded(blocks, body_end)


@given(BLOCKS, st.lists(st.integers(min_value=1, max_value=30), max_size=40))
def test_how_the_bytes_are_cut_does_not_matter(blocks: list[bytes], sizes: list[int]) -> None:
    body, pieces = b"".join(blocks), []
    for size in sizes:
        pieces.append(body[:size])
        body = body[size:]
    assert decoded([*pieces, body]) == decoded([b"".join(blocks)])
