"""The times by which workers are taken for dead. They depend on each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueTiming:
    """stale   seconds without a heartbeat after which a worker is taken for dead, and its tasks are run by
    others. All processes of a database must agree on it
    """

    stale: float = 20.0

    @property
    def heartbeat(self) -> float:
        """Seconds between two heartbeats: three may be late."""
        return self.stale / 4

    @property
    def keeping(self) -> float:
        """Seconds between two looks for work of dead workers."""
        return self.stale / 4

    @property
    def drain(self) -> float:
        """Seconds that tasks have to end when a worker stops. It sends no heartbeats meanwhile
        (procrastinate #1585)."""
        return self.stale / 2

    @property
    def poll(self) -> float:
        """Seconds between two looks for jobs when no notification arrives."""
        return min(2.0, self.stale / 4)
