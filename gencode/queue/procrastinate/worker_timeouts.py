"""Intervals of heartbeats and polls, derived from the time after which a worker counts as dead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerTimeouts:
    """stale   seconds without a heartbeat after which a worker counts as dead and others run its tasks. All
    processes of a database must use the same value
    """

    stale: float = 20.0

    @property
    def heartbeat(self) -> float:
        """Seconds between two heartbeats: three may be missed."""
        return self.stale / 4

    @property
    def recovery_interval(self) -> float:
        """Seconds between two searches for jobs of dead workers."""
        return self.stale / 4

    @property
    def drain(self) -> float:
        """Seconds that running tasks may take to end when a worker stops. It sends no heartbeats meanwhile
        (procrastinate #1585)."""
        return self.stale / 2

    @property
    def poll(self) -> float:
        """Seconds between two polls for jobs when no notification arrives."""
        return min(2.0, self.stale / 4)
