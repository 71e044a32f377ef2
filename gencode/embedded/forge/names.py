"""Which owners and repositories can exist, and how GitHub respells what was asked for."""

from __future__ import annotations

import re

OWNER_LENGTH = 39  # GitHub's own limits
NAME_LENGTH = 100

_OWNER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])*")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_REFUSED = re.compile(r"[^A-Za-z0-9._-]+")
_ROUTES = frozenset({"api"})  # would hide behind our own addresses


def is_owner(login: str) -> bool:
    return len(login) <= OWNER_LENGTH and bool(_OWNER.fullmatch(login)) and login.lower() not in _ROUTES


def is_name(name: str) -> bool:
    """Whether a repository can have this name; nothing that passes can lead out of its folder."""
    if len(name) > NAME_LENGTH or name in (".", "..") or name.lower().endswith(".git"):
        return False
    return bool(_NAME.fullmatch(name))


def normalised(name: str) -> str:
    """GitHub's spelling of a wish: one `-` for a run of characters that it refuses, no `.git` at the end."""
    return without_suffix(_REFUSED.sub("-", name))


def without_suffix(name: str) -> str:
    """`name.git` and `name` are two addresses of one repository."""
    return name[:-4] if name.lower().endswith(".git") else name
