"""The sign that a repository is ours: the end of its description, where only its maker could put it."""

from __future__ import annotations

import re

from gencode.githosts.port import RepositorySpec
from gencode.security.redaction import spoken

_ANY = re.compile(r"\[gencode:[^\[\]\s]+\]\Z")


def tag(spec: RepositorySpec) -> str:
    return f"[{spec.marker}]"


def described(spec: RepositorySpec, characters: int) -> str:
    """The description, cut so that the marker stands whole at the end."""
    mark = tag(spec)
    text = spoken(spec.description)[: characters - len(mark) - 1].strip()
    return f"{text} {mark}".strip()


def marked(description: str) -> bool:
    """Whether some task of ours made it."""
    return bool(_ANY.search(description))
