"""The lock files of the official template sets: of nothing else is an environment made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

BACKEND_LOCK = "backend/requirements.lock"
"""The path in a project."""
_BACKEND_SETS = ("fastapi",)
_NAME = "requirements.lock"


@lru_cache(maxsize=1)
def official_locks() -> Mapping[str, bytes]:
    """By SHA-256 digest."""
    folder = files("gencode.blueprints") / "templates"
    found = (folder / name / _NAME for name in _BACKEND_SETS)
    texts = [lock.read_bytes() for lock in found if lock.is_file()]
    return {lock_digest(text): text for text in texts}


def lock_digest(lock: bytes) -> str:
    return hashlib.sha256(lock).hexdigest()
