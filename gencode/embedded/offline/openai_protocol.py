"""Requests and responses of OpenAI's chat completions API (https://platform.openai.com/docs/api-reference/chat)."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = "offline"
CHARACTERS_PER_TOKEN = 4  # about the average of real tokenizers for English and code


class ApiError(Exception):
    """The request is invalid. `status`: of the HTTP response; the others are fields of OpenAI's error."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None):
        super().__init__(message)
        self.message, self.status, self.param, self.code = message, status, param, code


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatMessage:
    """One message of a conversation; `content` is its text parts, joined."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """`max_tokens`: None for no limit; `wants_json`: the answer must be a JSON object."""

    messages: tuple[ChatMessage, ...]
    max_tokens: int | None
    wants_json: bool
    stream: bool
    include_usage: bool


def parse_request(body: bytes) -> ChatRequest:
    """Raises ApiError for a body that is not a valid chat completion request for this model."""
    fields = _parse_object(body)
    check_model(fields.get("model"))
    if fields.get("n") not in (None, 1):
        raise ApiError("This model gives one choice: leave 'n' out or send 1.", param="n")
    return ChatRequest(
        messages=_messages(fields.get("messages")),
        max_tokens=_max_tokens(fields),
        wants_json=_object_field(fields, "response_format").get("type") in ("json_object", "json_schema"),
        stream=_boolean_field(fields, "stream"),
        include_usage=_boolean_field(_object_field(fields, "stream_options"), "include_usage"),
    )


def _parse_object(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError("The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise ApiError("The body must be a JSON object.")
    return fields


def check_model(name: object) -> None:
    """Raises ApiError for every name but MODEL; 404 for the name of another model."""
    if not isinstance(name, str) or not name:
        raise ApiError(f"Name the model: the only one here is '{MODEL}'.", param="model")
    if name != MODEL:
        message = f"There is no such model here: the only one is '{MODEL}'."
        raise ApiError(message, status=404, param="model", code="model_not_found")


def _messages(value: object) -> tuple[ChatMessage, ...]:
    if not isinstance(value, list) or not value:
        raise ApiError("'messages' must be a list with at least one message.", param="messages")
    return tuple(_message(message, f"messages[{index}]") for index, message in enumerate(value))


def _message(message: object, where: str) -> ChatMessage:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise ApiError(f"'{where}' must be an object with a 'role'.", param=where)
    return ChatMessage(role=message["role"], content=_text(message.get("content"), where))


def _text(content: object, where: str) -> str:
    """Content is a string, or a list of parts, of which those with text are joined."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    raise ApiError(f"The 'content' of '{where}' must be text.", param=where)


def _max_tokens(fields: Mapping[str, Any]) -> int | None:
    name = "max_completion_tokens" if fields.get("max_completion_tokens") is not None else "max_tokens"
    limit = fields.get(name)
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ApiError(f"'{name}' must be a whole number of at least 1.", param=name)
    return limit


def _object_field(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(f"'{name}' must be an object.", param=name)
    return value


def _boolean_field(fields: Mapping[str, Any], name: str) -> bool:
    flag = fields.get(name)
    if flag is not None and not isinstance(flag, bool):
        raise ApiError(f"'{name}' must be true or false.", param=name)
    return bool(flag)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatCompletion:
    """One answer, which `as_object` and `as_chunks` render for the two kinds of response."""

    text: str
    finish_reason: str
    usage: Mapping[str, int]
    id: str = field(default_factory=lambda: f"chatcmpl-{MODEL}-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def create(cls, chat_request: ChatRequest, text: str) -> ChatCompletion:
        """`text`, truncated to the request's `max_tokens`."""
        limit = chat_request.max_tokens
        sent = text if limit is None else text[: limit * CHARACTERS_PER_TOKEN]
        reason = "stop" if len(sent) == len(text) else "length"
        return cls(text=sent, finish_reason=reason, usage=_usage(chat_request.messages, sent))

    def as_object(self) -> dict[str, Any]:
        """The body of a response that is not streamed."""
        message = {"role": "assistant", "content": self.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return self._frame("chat.completion", [choice]) | {"usage": dict(self.usage)}

    def as_chunks(self, *, include_usage: bool) -> Iterator[dict[str, Any]]:
        """The chunks of a stream: role, text line by line, finish reason, then the usage if requested."""
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"content": line} for line in self.text.splitlines(keepends=True)]
        no_usage = {"usage": None} if include_usage else {}
        for delta in deltas:
            yield self._chunk([_choice(delta, None)]) | no_usage
        yield self._chunk([_choice({}, self.finish_reason)]) | no_usage
        if include_usage:
            yield self._chunk([]) | {"usage": dict(self.usage)}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return self._frame("chat.completion.chunk", choices)

    def _frame(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": MODEL,
            "system_fingerprint": MODEL,
            "choices": choices,
        }


def _choice(delta: Mapping[str, str], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _usage(messages: tuple[ChatMessage, ...], text: str) -> Mapping[str, int]:
    prompt = sum(_tokens(message.content) for message in messages)
    completion = _tokens(text)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _tokens(text: str) -> int:
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def model_object() -> dict[str, Any]:
    """This model as an entry of `GET /v1/models`."""
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "gencode"}
