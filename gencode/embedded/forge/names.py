"""Valid names of owners and repositories, and GitHub's normalisation of requested names."""

from __future__ import annotations

import re

OWNER_LENGTH = 39  # this and the next are GitHub's limits
NAME_LENGTH = 100

_OWNER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])*")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_DISALLOWED = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED_OWNERS = frozenset({"api"})  # pages of this owner would be hidden by the REST API's routes


def is_valid_owner(login: str) -> bool:
    """Whether GitHub accepts the login, and no route of the forge hides it."""
    return (
        len(login) <= OWNER_LENGTH and bool(_OWNER.fullmatch(login)) and login.lower() not in _RESERVED_OWNERS
    )


def is_valid_name(name: str) -> bool:
    """Whether a repository can have this name. A valid name cannot escape the owner's folder."""
    if len(name) > NAME_LENGTH or name in (".", "..") or name.lower().endswith(".git"):
        return False
    return bool(_NAME.fullmatch(name))


def normalised_name(name: str) -> str:
    """Normalises a name like GitHub: replaces each run of disallowed characters by one `-`, and removes a
    final `.git`."""
    return without_git_suffix(_DISALLOWED.sub("-", name))


def without_git_suffix(name: str) -> str:
    """`name.git` and `name` are the same repository."""
    return name[:-4] if name.lower().endswith(".git") else name
