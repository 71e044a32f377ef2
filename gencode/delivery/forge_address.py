"""Addresses of repositories on the local forge, which change when it listens on another port."""

from __future__ import annotations

from urllib.parse import urlsplit

from gencode.domain.task import Task

LOCAL = "local"
"""The name of the local forge as a host; older tasks for it name no host."""


def present_address(url: str, host: str, forge: str) -> str:
    """`url`, of a repository of this host, as it is now. `forge`: the address of the local forge; "" where
    none runs."""
    parts = urlsplit(url)
    if not forge or host not in (LOCAL, "") or parts.hostname != urlsplit(forge).hostname:
        return url
    return parts._replace(netloc=urlsplit(forge).netloc).geturl()


def present_address_of(task: Task, field: str, forge: str) -> str | None:
    """The present address for the URL in a field of the task's result; None without one."""
    url = task.result.get(field)
    return None if url is None else present_address(str(url), str(task.parameters.get("host") or ""), forge)
