"""Cache keys: digests of everything that shapes a task's plan and files. Equal keys may share an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from gencode.codegen.prompts import FILE_INSTRUCTIONS, PLAN_INSTRUCTIONS


def settings_digest(*settings: object) -> str:
    """The digest of everything but the request: these settings and our own prompts. 16 characters."""
    return _digest([PLAN_INSTRUCTIONS, FILE_INSTRUCTIONS, *map(str, settings)])[:16]


def cache_key(settings: str, prompt: str, model: str) -> str:
    """A key that begins with `key_prefix`, equal for keys that differ in the prompt alone.

    `settings` is a `settings_digest`.
    """
    return f"{key_prefix(settings, model)}:{_digest([prompt])}"


def key_prefix(settings: str, model: str) -> str:
    """The part of a cache key that does not depend on the prompt. 32 characters."""
    return _digest([settings, model])[:32]


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
