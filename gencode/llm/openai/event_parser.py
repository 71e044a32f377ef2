"""Parses the events of one streamed completion."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gencode.llm.errors import LLMBadOutput, LLMIncomplete
from gencode.llm.openai.error_mapping import ErrorMapper, as_error
from gencode.llm.port import ChatChunk, ChatRequest, Usage


class CompletionParser:
    """Takes the lines of an event stream (or a plain JSON body as one line), in all variants of servers.

    deltas  received deltas with text, reasoning or refusal: signs that the model is generating
    done    the server sent [DONE]
    """

    def __init__(self, request: ChatRequest, errors: ErrorMapper) -> None:
        self._expects_json = request.json and not request.prefix
        self._errors = errors
        self._finish_reason = ""
        self._usage: Usage | None = None
        self._is_blank = True
        self._has_reasoning = False
        self._has_tool_calls = False
        self._refusal = ""
        self._high_surrogate = ""
        self.deltas = 0
        self.done = False

    @property
    def is_complete(self) -> bool:
        """Whether a finish_reason has arrived: a failure after it does not affect the answer."""
        return bool(self._finish_reason)

    def feed(self, lines: Sequence[bytes]) -> str:
        """The text in these lines. Raises the ProviderError for an error object among them."""
        return self._join_surrogates("".join([self._line(line) for line in lines]))

    def finish(self) -> ChatChunk:
        """The last chunk. Raises a ProviderError if the answer cannot be used."""
        if self._refusal or self._finish_reason in ("content_filter", "refusal"):
            raise self._errors.refused(self._refusal)
        if self._finish_reason == "insufficient_system_resource":
            raise self._errors.unavailable("insufficient system resource")
        if self._has_tool_calls:
            raise LLMBadOutput("The model called a tool instead of answering. Try again.")
        if self._finish_reason not in ("stop", "length"):
            reason = self._errors.quote(self._finish_reason) or "none"
            raise LLMIncomplete(f"The model's answer may not be whole (finish_reason: {reason}). Try again.")
        if self._is_blank and (self._has_reasoning or self._expects_json):
            raise LLMBadOutput(_blank_answer(self._has_reasoning))
        return ChatChunk(
            text="\ufffd" if self._high_surrogate else "",
            finish_reason=self._finish_reason,
            usage=self._usage,
        )

    def _line(self, line: bytes) -> str:
        """Each data line is parsed on its own: more servers omit the blank line between events than spread an
        event over several lines."""
        if line.startswith(b"data:"):
            line = line[5:].strip()
        elif not line.startswith(b"{"):  # a bare object: how some servers report errors in mid-stream
            return ""  # blank, a comment, or another field
        if line == b"[DONE]":
            self.done = True
        return self._event(line) if line and not self.done else ""

    def _event(self, line: bytes) -> str:
        event = self._parse(line)
        if error := _error_object(event):
            raise self._errors.from_error_object(error)
        self._read_usage(event.get("usage"))
        choices = event.get("choices")
        first = [c for c in choices if _is_first_choice(c)] if isinstance(choices, list) else []
        return "".join([self._choice(choice) for choice in first])

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            event = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            return event
        quoted = self._errors.quote(line[:1000].decode("utf-8", "replace"))
        raise LLMBadOutput(f"The server sent an event that is not a JSON object: {quoted}")

    def _choice(self, choice: Mapping[str, Any]) -> str:
        finish_reason = choice.get("finish_reason")
        if isinstance(finish_reason, str) and finish_reason:
            self._finish_reason = finish_reason
        delta = choice.get("delta") or choice.get("message")
        return self._delta(delta) if isinstance(delta, dict) else ""

    def _delta(self, delta: Mapping[str, Any]) -> str:
        text, refusal = _text(delta, "content"), _text(delta, "refusal")
        reasoning = _text(delta, "reasoning_content") or _text(delta, "reasoning")
        self._is_blank = self._is_blank and not text.strip()
        self._refusal += refusal
        self._has_reasoning = self._has_reasoning or bool(reasoning)
        self._has_tool_calls |= bool(delta.get("tool_calls") or delta.get("function_call"))
        self.deltas += bool(text or reasoning or refusal)
        return text

    def _read_usage(self, usage: object) -> None:
        """The last usage counts: some servers send a growing one with every event."""
        if not isinstance(usage, dict):
            return
        details = usage.get("prompt_tokens_details")
        cached = _number(details, "cached_tokens") or _number(usage, "prompt_cache_hit_tokens")
        prompt, completion = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
        self._usage = Usage(prompt=prompt, completion=completion, cached=cached)

    def _join_surrogates(self, text: str) -> str:
        """Servers written in JavaScript can split an emoji into two events, half a surrogate pair in each."""
        text, self._high_surrogate = self._high_surrogate + text, ""
        if text.isascii():
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._high_surrogate = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _error_object(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = event.get("error")
    if not found and "error" in (event.get("object"), event.get("type")):
        found = event
    return as_error(found) if found else None


def _is_first_choice(choice: object) -> bool:
    return isinstance(choice, dict) and not choice.get("index")


def _text(delta: Mapping[str, Any], key: str) -> str:
    value = delta.get(key)
    return value if isinstance(value, str) else ""


def _number(usage: object, key: str) -> int:
    value = usage.get(key) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _blank_answer(has_reasoning: bool) -> str:
    if has_reasoning:
        return (
            "The model only reasoned and did not answer. Switch its thinking off (the provider's quirks), "
            "or try again."
        )
    return "The model answered with blanks instead of JSON. Try again."
