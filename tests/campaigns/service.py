"""The environment of a campaign's service."""

from __future__ import annotations

from tests.campaigns.orders import CLIENTS
from tests.servers.github import ScriptedGitHub
from tests.servers.model import ModelServer

CALLS_PER_TASK = 10
"""More than one task makes at once: the campaign delays answers, and a call that waited for a slot of those
would wait for ever."""


def settings(model: ModelServer, concurrency: int, github: ScriptedGitHub | None = None) -> dict[str, str]:
    """Two models on the scripted server, one with native prefix completion and one without; several API
    keys; the local forge if there is no `github`."""
    variables = {
        "API_KEYS": ",".join(f"{client}={key}" for client, key in CLIENTS.items()),
        "RATE_LIMIT": "1000000/minute",
        "MAX_CONCURRENT_TASKS": str(concurrency),
        "MAX_MODEL_CALLS": str(CALLS_PER_TASK * concurrency),
        "DEEPSEEK_API_KEY": "sk-deepseek-campaign",
        "DEEPSEEK_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "sk-openai-campaign",
        "OPENAI_BASE_URL": f"{model.base_url}/v1",
        "LOG_FORMAT": "json",
    }
    return variables | ({"GITHUB_TOKEN": github.token, "GITHUB_API_URL": github.api_url} if github else {})
