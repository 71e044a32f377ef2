"""The body and the address of a request to the Messages API, and what a model rejects of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gencode.llm.port import ChatRequest
from gencode.llm.streaming.requests import CONTINUE_INSTRUCTION, MIN_TOKENS

API_VERSION = "2023-06-01"
_NUMBER = r"([0-9]{1,9})"
_OVER_MODEL = re.compile(rf"max_tokens: {_NUMBER} > {_NUMBER}\b", re.IGNORECASE)
_OVER_WINDOW = re.compile(rf"exceed context limit: {_NUMBER} \+ {_NUMBER} > {_NUMBER}\b", re.IGNORECASE)
_TEMPERATURE = re.compile(r"\btemperature\b.{0,60}(?:deprecated|not supported|unsupported|may only be)", re.I)


def messages_url(base_url: str) -> str:
    """Of a base URL with or without the version: https://api.anthropic.com, or .../v1."""
    root, separator, query = base_url.partition("?")
    root = root.rstrip("/").removesuffix("/messages").removesuffix("/v1")
    return f"{root}/v1/messages{separator}{query}"


def headers(key: str) -> dict[str, str]:
    return {"anthropic-version": API_VERSION} | ({"x-api-key": key} if key else {})


def message_body(model: str, request: ChatRequest, temperature: float | None) -> dict[str, Any]:
    """There is no JSON mode: the messages demand JSON themselves. Nor is the beginning of an answer given as
    the last message, which newer models refuse: it is asked for its continuation."""
    system = "\n\n".join(one.content for one in request.messages if one.role == "system")
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "messages": _messages(request),
        "stream": True,
    }
    if system:
        body["system"] = system
    if temperature is not None:
        body["temperature"] = temperature
    return body


def _messages(request: ChatRequest) -> list[dict[str, str]]:
    messages = [
        {"role": one.role, "content": one.content}
        for one in request.messages
        if one.role != "system" and one.content.strip()  # blank ones are refused
    ]
    if request.prefix.strip():
        messages.append({"role": "assistant", "content": request.prefix})
        messages.append({"role": "user", "content": CONTINUE_INSTRUCTION})
    return messages


def rejects_temperature(error: Mapping[str, Any]) -> bool:
    """Newer models have no temperature, also if the request gives their default."""
    return bool(_TEMPERATURE.search(str(error.get("message"))[:1000]))


def lower_limit(error: Mapping[str, Any], asked: int) -> tuple[int, bool] | None:
    """The most tokens of an answer that the error allows, and whether it holds for all calls of the model
    (otherwise beside this prompt); None if the error is about something else."""
    text = str(error.get("message"))[:1000]
    if found := _OVER_MODEL.search(text):
        limit, is_of_model = int(found[2]), True
    elif found := _OVER_WINDOW.search(text):
        limit, is_of_model = int(found[3]) - int(found[1]), False
    else:
        return None
    return (limit, is_of_model) if MIN_TOKENS <= limit < asked else None
