"""Turns the bytes of a streamed message into text, reasoning, usage, and one end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gencode.llm.anthropic.message_events import JsonObject, MessageEvents
from gencode.llm.errors import LLMBadOutput, LLMIncomplete, LLMTooLarge, ProviderError
from gencode.llm.port import ChatChunk, ChatRequest, Usage
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.error_objects import as_error
from gencode.llm.streaming.provider import BodyEnd
from gencode.llm.streaming.surrogate_pairs import SurrogatePairs

STOP, LENGTH = "stop", "length"
_ENDS = {
    "end_turn": STOP,
    "stop_sequence": STOP,
    "max_tokens": LENGTH,
    "model_context_window_exceeded": LENGTH,
    "pause_turn": LENGTH,  # the rest of the answer has to be asked for
}
"""finish_reason by stop_reason."""
_BLOCK_TEXT = {"text": "text", "text_delta": "text"}
_BLOCK_REASONING = {"thinking": "thinking", "thinking_delta": "thinking"}
_MAX_COUNT = 10**12


class MessageDecoder:
    """See AnswerDecoder. A message is whole when it has a stop_reason, which comes after its last text:

    message_start, then for each block content_block_start, ..._delta, ..._stop; then message_delta with
    the stop_reason and the usage, and message_stop. `ping` and unknown events may come between them.
    """

    def __init__(self, request: ChatRequest, errors: ErrorMapper) -> None:
        self._request = request
        self._errors = errors
        self._events = MessageEvents(errors)
        self._pairs = SurrogatePairs()
        self._usage: Usage | None = None
        self._failure: ProviderError | None = None
        self._reason = ""
        self._has_stopped = self._has_text = self._has_reasoning = self._has_message = False
        self._length = 0
        self.is_alive = False

    @property
    def over(self) -> bool:
        return self._has_stopped or self._failure is not None

    @property
    def is_proven(self) -> bool:
        return bool(self._reason) and self._failure is None

    def feed(self, block: bytes) -> ChatChunk:
        return self._read(self._events.feed(block))

    def finish(self, end: BodyEnd) -> tuple[ChatChunk, ProviderError | None]:
        is_read = self.over or self.is_proven or end is BodyEnd.BROKEN
        rest = () if is_read else self._events.close()
        chunk = self._read(rest)
        lone = self._pairs.close()
        chunk = replace(chunk, text=chunk.text + lone, usage=self._usage)
        failure, self._failure = self._failure or self._unusable(), None
        if failure:
            return chunk, failure
        return replace(chunk, finish_reason=_ENDS[self._reason]), None

    def _read(self, objects: Iterable[JsonObject]) -> ChatChunk:
        """What the events add. A failure is kept for `finish`: nothing received is lost."""
        self.is_alive = False
        before = self._usage
        texts: list[str] = []
        thoughts: list[str] = []
        try:
            for found in objects:
                self._event(found, texts, thoughts)
                if self._has_stopped:
                    break
        except ProviderError as error:
            self._failure = error
        text, reasoning = self._pairs.feed("".join(texts)), "".join(thoughts)
        self._has_text = self._has_text or bool(text.strip())
        self._has_reasoning = self._has_reasoning or bool(reasoning)
        usage = self._usage if self._usage != before else None
        return ChatChunk(text=text, reasoning=_encodable(reasoning), usage=usage)

    def _event(self, found: JsonObject, texts: list[str], thoughts: list[str]) -> None:
        kind = found.get("type")
        if kind == "error" or "error" in found:
            error = as_error(found.get("error"), str(found)[:1000])
            raise self._errors.from_error_object(error, is_first=not self._has_message)
        if kind == "message_start":
            self._has_message = True
            self._count(_part(found, "message").get("usage"))
        elif kind == "content_block_start":
            self._block(_part(found, "content_block"), texts, thoughts)
        elif kind == "content_block_delta":
            self._block(_part(found, "delta"), texts, thoughts)
        elif kind == "message_delta":
            self._count(found.get("usage"))
            self._reason = str(_part(found, "delta").get("stop_reason") or self._reason)
        elif kind == "message_stop":
            self._has_stopped = True

    def _block(self, block: Mapping[str, Any], texts: list[str], thoughts: list[str]) -> None:
        """The beginning of a block, or what is added to it."""
        self.is_alive = True
        kind = str(block.get("type"))
        if name := _BLOCK_TEXT.get(kind):
            text = block.get(name)
            if not isinstance(text, str):
                raise LLMBadOutput("The server sent a block of text without text. Try again.")
            if text and self._reason:
                raise LLMBadOutput("The server sent text after the end of the answer. Try again.")
            self._length += len(text)
            if self._length > self._request.max_text:
                limit = self._request.max_text
                raise LLMTooLarge(
                    f"The model's answer exceeds {limit} characters. Ask for a smaller project."
                )
            texts.append(text)
        elif name := _BLOCK_REASONING.get(kind):
            thoughts.append(str(block.get(name) or ""))
        elif kind == "redacted_thinking":
            self._has_reasoning = True

    def _count(self, usage: object) -> None:
        """The last counts of a kind are those of the whole call. Input that is written to the cache, or read
        from it, is not in `input_tokens`."""
        if not isinstance(usage, dict):
            return
        known = self._usage or Usage()
        fresh = [_tokens(usage.get(name)) for name in ("input_tokens", "cache_creation_input_tokens")]
        cached, completion = (
            _tokens(usage.get("cache_read_input_tokens")),
            _tokens(usage.get("output_tokens")),
        )
        prompt = sum(fresh) + cached
        self._usage = Usage(
            prompt=max(prompt, known.prompt),
            completion=max(completion, known.completion),
            cached=max(cached, known.cached),
        )

    def _unusable(self) -> ProviderError | None:
        """Why an answer without an error cannot be used."""
        if self._reason == "refusal":
            return self._errors.refused("")
        if self._reason == "tool_use":
            return LLMBadOutput("The model called a tool instead of answering. Try again.")
        if self._reason not in _ENDS:
            reason = self._errors.quote(self._reason) or "none"
            return LLMIncomplete(f"The model's answer may not be whole (stop_reason: {reason}). Try again.")
        if self._has_text or (self._request.prefix and _ENDS[self._reason] == LENGTH):
            return None
        if self._has_reasoning:
            return LLMBadOutput("The model only reasoned and did not answer. Raise max_tokens, or try again.")
        if self._request.json and not self._request.prefix:
            return LLMBadOutput("The model answered with blanks instead of JSON. Try again.")
        return None


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = found.get(name)
    return part if isinstance(part, dict) else {}


def _tokens(count: object) -> int:
    is_count = isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= _MAX_COUNT
    return int(str(count)) if is_count else 0


def _encodable(text: str) -> str:
    """Without lone halves of surrogate pairs, which only the text can join."""
    return text.encode("utf-8", "replace").decode()
