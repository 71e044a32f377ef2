"""The `application_name` of a process of a cluster, which other processes read from pg_stat_activity.

It contains the role, the version, and a short digest of each group of settings that should be equal in all
processes:

    gencode worker 0.2.0 1f0a 93bc 04de 77a1 c2d9
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from gencode import __version__
from gencode.bootstrap.process_roles import Role
from gencode.settings import Settings

PREFIX = "gencode "
GROUPS: Mapping[str, tuple[str, ...]] = {
    "WORKER_STALE_SECONDS": ("worker_stale_seconds",),
    "those of models": (
        *("deepseek_api_key", "deepseek_base_url", "deepseek_model", "openai_api_key", "openai_base_url"),
        *("openai_model", "providers", "prices", "default_model", "max_model_calls", "max_output_tokens"),
    ),
    "those of Git hosts": (
        *("github_token", "github_api_url", "github_owner", "hosts", "default_host", "allow_workflows"),
        "git_author",
    ),
    "those of clients": (
        *("api_keys", "auth", "rate_limit", "max_waiting_tasks", "max_paused_tasks", "webhook_secret"),
        *("slack_signing_secret", "mattermost_token"),
    ),
    "those of tasks": (
        *("task_timeout", "approval_timeout", "prompt_cache", "prompt_cache_similarity", "retention_days"),
        *("retention_days_by_client", "idempotency_key_days", "language"),
    ),
}
"""Groups of compared settings, by their names in messages."""
DIGEST_LENGTH = 4
MAX_LENGTH = 63
"""The most bytes of an application_name; PostgreSQL truncates longer ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessName:
    """`digests`: one for each of GROUPS; another version may have other groups."""

    role: str
    version: str
    digests: tuple[str, ...]


def process_name(settings: Settings, role: Role) -> str:
    name = " ".join([role.value, __version__[:20], *digests(settings)])
    return f"{PREFIX}{name}"[:MAX_LENGTH]


def parsed_name(name: str) -> ProcessName | None:
    """Parses an application_name; None if it is not that of a gencode process."""
    words = name.removeprefix(PREFIX).split(" ")
    if not name.startswith(PREFIX) or words[0] not in {*Role} or len(words) < 2:
        return None
    return ProcessName(role=words[0], version=words[1], digests=tuple(words[2:]))


def digests(settings: Settings) -> tuple[str, ...]:
    """Digests of the settings; short, so that they reveal only whether settings differ."""
    return tuple(_digest({name: getattr(settings, name) for name in names}) for names in GROUPS.values())


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(_plain(values), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _plain(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case BaseModel():
            return {name: _plain(one) for name, one in value}
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
    return str(value)
