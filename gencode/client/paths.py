"""Paths of the service in which ids are one segment, whatever they contain."""

from __future__ import annotations

from urllib.parse import quote


def task_path(task_id: str, *parts: str) -> str:
    """Each part is percent-encoded, so that an invalid id cannot add path segments."""
    return "/".join(["/api/v1/task", quoted(task_id), *map(quoted, parts)])


def quoted(part: str) -> str:
    return quote(part, safe="") if part.strip(".") else part.replace(".", "%2E")
