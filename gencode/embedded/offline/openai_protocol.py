"""OpenAI's chat completions as data: what a client sends, and what it gets back."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = "offline"
TOKEN = 4  # characters; about what real tokenizers make of English and code


class Refusal(Exception):
    """The call cannot be answered; becomes an error body with this HTTP status."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None):
        super().__init__(message)
        self.message, self.status, self.param, self.code = message, status, param, code


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    role: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """`max_tokens` is None for no limit; `json`: the answer must be a JSON object."""

    turns: tuple[Turn, ...]
    max_tokens: int | None
    json: bool
    stream: bool
    include_usage: bool


def read_call(body: bytes) -> Call:
    """Raises Refusal for what is not a chat completion request for this model."""
    sent = _object(body)
    check_model(sent.get("model"))
    if sent.get("n") not in (None, 1):
        raise Refusal("This model gives one choice: leave 'n' out or send 1.", param="n")
    return Call(
        turns=_turns(sent.get("messages")),
        max_tokens=_max_tokens(sent),
        json=_part(sent, "response_format").get("type") in ("json_object", "json_schema"),
        stream=_flag(sent, "stream"),
        include_usage=_flag(_part(sent, "stream_options"), "include_usage"),
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal("The body is not JSON.") from None
    if not isinstance(sent, dict):
        raise Refusal("The body must be a JSON object.")
    return sent


def check_model(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise Refusal(f"Name the model: the only one here is '{MODEL}'.", param="model")
    if name != MODEL:
        message = f"There is no such model here: the only one is '{MODEL}'."
        raise Refusal(message, status=404, param="model", code="model_not_found")


def _turns(sent: object) -> tuple[Turn, ...]:
    if not isinstance(sent, list) or not sent:
        raise Refusal("'messages' must be a list with at least one message.", param="messages")
    return tuple(_turn(message, f"messages[{index}]") for index, message in enumerate(sent))


def _turn(message: object, where: str) -> Turn:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise Refusal(f"'{where}' must be an object with a 'role'.", param=where)
    return Turn(role=message["role"], content=_text(message.get("content"), where))


def _text(content: object, where: str) -> str:
    """Content is a string, or a list of parts of which the text ones count."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    raise Refusal(f"The 'content' of '{where}' must be text.", param=where)


def _max_tokens(sent: Mapping[str, Any]) -> int | None:
    name = "max_completion_tokens" if sent.get("max_completion_tokens") is not None else "max_tokens"
    limit = sent.get(name)
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise Refusal(f"'{name}' must be a whole number of at least 1.", param=name)
    return limit


def _part(sent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = sent.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise Refusal(f"'{name}' must be an object.", param=name)
    return part


def _flag(sent: Mapping[str, Any], name: str) -> bool:
    flag = sent.get(name)
    if flag is not None and not isinstance(flag, bool):
        raise Refusal(f"'{name}' must be true or false.", param=name)
    return bool(flag)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One answer in both of its forms: whole, and as chunks of a stream."""

    text: str
    finish_reason: str
    usage: Mapping[str, int]
    id: str = field(default_factory=lambda: f"chatcmpl-{MODEL}-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def to(cls, call: Call, text: str) -> Reply:
        """`text` as far as the call's `max_tokens` allows."""
        checkpoints = text if call.max_tokens is None else text[: call.max_tokens * TOKEN]
        reason = "stop" if len(checkpoints) == len(text) else "length"
        return cls(text=checkpoints, finish_reason=reason, usage=_usage(call.turns, checkpoints))

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return self._frame("chat.completion", [choice]) | {"usage": dict(self.usage)}

    def chunks(self, *, include_usage: bool) -> Iterator[dict[str, Any]]:
        """The role, the text line by line, the finish reason, then (if wanted) the usage."""
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


def _usage(turns: tuple[Turn, ...], text: str) -> Mapping[str, int]:
    prompt = sum(_tokens(turn.content) for turn in turns)
    completion = _tokens(text)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _tokens(text: str) -> int:
    return max(1, -(-len(text) // TOKEN))


def model() -> dict[str, Any]:
    """This model as `GET /v1/models` lists it."""
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "gencode"}
