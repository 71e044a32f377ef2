"""The URLs below a base URL, and the headers that carry the key."""

from __future__ import annotations

import re

from gencode.llm.openai.quirks import Quirks
from gencode.llm.port import ChatRequest

_AZURE_HOST = re.compile(
    r"https?://[\w.-]+\.(?:openai|cognitiveservices)\.azure\.(?:com|us|cn)(?:[:/]|\Z)", re.I
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
