"""The JSON body of a chat completions request."""

from __future__ import annotations

from typing import Any

from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import ChatRequest
from gencode.llm.streaming.requests import CONTINUE_INSTRUCTION


def request_body(model: str, request: ChatRequest, quirks: Quirks) -> dict[str, Any]:
    """Configured extra fields never replace those of the request."""
    fields: dict[str, Any] = {**quirks.thinking, **quirks.extra_body}
    fields |= {"model": model, "messages": _messages(request, quirks), "stream": True}
    fields[quirks.max_tokens_field] = request.max_tokens
    if quirks.stream_usage:
        fields["stream_options"] = {"include_usage": True}
    if request.json and quirks.json_mode and not request.prefix:
        # The rest of a truncated object is no object: in JSON mode the model would start again.
        fields["response_format"] = {"type": "json_object"}
    return fields


def _messages(request: ChatRequest, quirks: Quirks) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": m.role, "content": m.content} for m in request.messages]
    if not request.prefix:
        return messages
    answer: dict[str, Any] = {"role": "assistant", "content": request.prefix}
    if quirks.prefix == "deepseek":
        return [*messages, answer | {"prefix": True}]
    if quirks.prefix == "partial":
        return [*messages, answer | {"partial": True}]
    return [*messages, answer, {"role": "user", "content": CONTINUE_INSTRUCTION}]
