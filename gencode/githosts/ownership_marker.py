"""The marker that identifies our repositories: the end of the description, which only the creator can set."""

from __future__ import annotations

import re

from gencode.githosts.port import RepositorySpec
from gencode.security.redaction import sanitize

_MARKER = re.compile(r"\[(gencode:[^\[\]\s]+)\]\Z")


def marker_suffix(spec: RepositorySpec) -> str:
    """The end of the description of this task's repository."""
    return f"[{spec.marker}]"


def marked_description(spec: RepositorySpec, max_length: int) -> str:
    """The description with the marker at its end; the text before it is cut to `max_length` characters."""
    suffix = marker_suffix(spec)
    text = sanitize(spec.description)[: max_length - len(suffix) - 1].strip()
    return f"{text} {suffix}".strip()


def marker_of(description: str) -> str:
    """The marker of the task that created the repository; "" without one."""
    found = _MARKER.search(description)
    return found[1] if found else ""


def has_marker(description: str) -> bool:
    """Whether the repository was created by any of our tasks."""
    return bool(_MARKER.search(description))
