"""What the events of one completion add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gencode.llm.errors import LLMBadOutput, LLMIncomplete
from gencode.llm.openai.error_mapping import ErrorMapper, as_error
from gencode.llm.port import ChatChunk, ChatRequest, Usage


class CompletionParser:
    """Takes lines of an event stream (or a plain JSON body as one line), tolerating what servers vary in.

    signs  pieces of text, reasoning or refusal so far: that the model is at work
    over   the server said that nothing follows
    """

    def __init__(self, request: ChatRequest, failures: ErrorMapper) -> None:
        self._wants_json = request.json and not request.prefix
        self._failures = failures
        self._finish = ""
        self._usage: Usage | None = None
        self._blank = True
        self._reasoned = False
        self._tools = False
        self._refusal = ""
        self._half = ""
        self.signs = 0
        self.over = False

    @property
    def finished(self) -> bool:
        """Whether a finish_reason has come: what breaks after it, breaks nothing."""
        return bool(self._finish)

    def take(self, lines: Sequence[bytes]) -> str:
        """The text that these lines add. Raises the twin of an error object found among them."""
        return self._whole_characters("".join([self._queue(line) for line in lines]))

    def end(self) -> ChatChunk:
        """The last chunk; raises unless the answer is one that can be used."""
        if self._refusal or self._finish in ("content_filter", "refusal"):
            raise self._failures.refused(self._refusal)
        if self._finish == "insufficient_system_resource":
            raise self._failures.unavailable("insufficient system resource")
        if self._tools:
            raise LLMBadOutput("The model called a tool instead of answering. Try again.")
        if self._finish not in ("stop", "length"):
            why = self._failures.quote(self._finish) or "none"
            raise LLMIncomplete(f"The model's answer may not be whole (finish_reason: {why}). Try again.")
        if self._blank and (self._reasoned or self._wants_json):
            raise LLMBadOutput(_nothing(self._reasoned))
        return ChatChunk(text="\ufffd" if self._half else "", finish_reason=self._finish, usage=self._usage)

    def _queue(self, line: bytes) -> str:
        """Each data line by itself: servers that forget the blank line between events are more common than
        ones that spread an event over several lines."""
        if line.startswith(b"data:"):
            line = line[5:].strip()
        elif not line.startswith(b"{"):  # a bare object: how some servers report errors in mid-stream
            return ""  # blank, a comment, or another field
        if line == b"[DONE]":
            self.over = True
        return self._event(line) if line and not self.over else ""

    def _event(self, line: bytes) -> str:
        event = self._parse(line)
        if error := _error(event):
            raise self._failures.of_object(error)
        self._count(event.get("usage"))
        choices = event.get("choices")
        firsts = [c for c in choices if _is_first(c)] if isinstance(choices, list) else []
        return "".join([self._choice(choice) for choice in firsts])

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            event = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            return event
        words = self._failures.quote(line[:1000].decode("utf-8", "replace"))
        raise LLMBadOutput(f"The server sent an event that is not a JSON object: {words}")

    def _choice(self, choice: Mapping[str, Any]) -> str:
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            self._finish = finish
        delta = choice.get("delta") or choice.get("message")
        return self._delta(delta) if isinstance(delta, dict) else ""

    def _delta(self, delta: Mapping[str, Any]) -> str:
        text, refusal = _text(delta, "content"), _text(delta, "refusal")
        reasoning = _text(delta, "reasoning_content") or _text(delta, "reasoning")
        self._blank = self._blank and not text.strip()
        self._refusal += refusal
        self._reasoned = self._reasoned or bool(reasoning)
        self._tools = self._tools or bool(delta.get("tool_calls") or delta.get("function_call"))
        self.signs += bool(text or reasoning or refusal)
        return text

    def _count(self, usage: object) -> None:
        """The newest count holds: some servers send a growing one with every event."""
        if not isinstance(usage, dict):
            return
        details = usage.get("prompt_tokens_details")
        cached = _number(details, "cached_tokens") or _number(usage, "prompt_cache_hit_tokens")
        prompt, completion = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
        self._usage = Usage(prompt=prompt, completion=completion, cached=cached)

    def _whole_characters(self, text: str) -> str:
        """Servers written in JavaScript can cut an emoji into two events, half a surrogate pair in each."""
        text, self._half = self._half + text, ""
        if text.isascii():
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _error(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = event.get("error")
    if not found and "error" in (event.get("object"), event.get("type")):
        found = event
    return as_error(found) if found else None


def _is_first(choice: object) -> bool:
    return isinstance(choice, dict) and not choice.get("index")


def _text(delta: Mapping[str, Any], key: str) -> str:
    value = delta.get(key)
    return value if isinstance(value, str) else ""


def _number(usage: object, key: str) -> int:
    value = usage.get(key) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _nothing(reasoned: bool) -> str:
    if reasoned:
        return (
            "The model only reasoned and did not answer. Switch its thinking off (the provider's quirks), "
            "or try again."
        )
    return "The model answered with blanks instead of JSON. Try again."
