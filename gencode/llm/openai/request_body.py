"""The URL and the JSON body of a chat completions request."""

from __future__ import annotations

import re
from typing import Any

from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import ChatRequest

_AZURE_HOST = re.compile(
    r"https?://[\w.-]+\.(?:openai|cognitiveservices)\.azure\.(?:com|us|cn)(?:[:/]|\Z)", re.I
)
CONTINUE_INSTRUCTION = (
    "Your answer was cut off. Go on exactly where it stopped, even in the middle of a line or a word. "
    "Repeat nothing of it, explain nothing, and open no code fence."
)


def completions_url(base_url: str, request: ChatRequest, quirks: Quirks) -> str:
    """DeepSeek completes a prefix only under /beta, which is next to /v1 and not below it."""
    root, _, query = base_url.partition("?")
    root = root.rstrip("/")
    if request.prefix and quirks.prefix == "deepseek" and not root.endswith("/beta"):
        root = root.removesuffix("/v1") + "/beta"
    return endpoint(f"{root}?{query}", "chat/completions")


def endpoint(base_url: str, path: str) -> str:
    """The URL of a path below base_url, which may have a query (Azure's `?api-version=`)."""
    root, _, query = base_url.partition("?")
    return f"{root.rstrip('/')}/{path}" + (f"?{query}" if query else "")


def key_headers(base_url: str, key: str) -> dict[str, str]:
    """How the key is sent: to Azure as `api-key`, where a bearer token would be one of Entra."""
    if not key:  # local servers need none
        return {}
    root = base_url.partition("?")[0]
    is_azure = "/openai/deployments/" in root or bool(_AZURE_HOST.match(root))
    return {"api-key": key} if is_azure else {"authorization": f"Bearer {key}"}


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
