"""The JSON body of a chat completions request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import ChatRequest, Message
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
    messages = _of_roles(request.messages, system_role=quirks.system_role)
    if not request.prefix:
        return messages
    answer: dict[str, Any] = {"role": "assistant", "content": request.prefix}
    if quirks.prefix == "deepseek":
        return [*messages, answer | {"prefix": True}]
    if quirks.prefix == "partial":
        return [*messages, answer | {"partial": True}]
    return [*messages, answer, {"role": "user", "content": CONTINUE_INSTRUCTION}]


def _of_roles(messages: Sequence[Message], *, system_role: bool) -> list[dict[str, Any]]:
    """The messages; without the role "system", its texts begin the first message of the user."""
    if system_role:
        return [{"role": message.role, "content": message.content} for message in messages]
    instructions = [message.content for message in messages if message.role == "system"]
    others = [{"role": one.role, "content": one.content} for one in messages if one.role != "system"]
    if instructions and others and others[0]["role"] == "user":
        others[0]["content"] = "\n\n".join([*instructions, str(others[0]["content"])])
    elif instructions:
        others.insert(0, {"role": "user", "content": "\n\n".join(instructions)})
    return others
