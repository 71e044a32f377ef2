"""The roles of a process: requests, tasks, or both."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """WEB and WORKER are for several processes on PostgreSQL."""

    ALL = "all"
    WEB = "web"
    """Accepts requests and streams events."""
    WORKER = "worker"
    """Runs tasks and delivers callbacks."""

    @property
    def works(self) -> bool:
        return self is not Role.WEB

    @property
    def serves(self) -> bool:
        return self is not Role.WORKER
