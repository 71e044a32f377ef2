"""The port to metrics of stages and tasks."""

from __future__ import annotations

from typing import Protocol


class EngineMetrics(Protocol):
    def stage_finished(self, stage: str, seconds: float) -> None: ...

    def task_finished(self, status: str, code: str) -> None:
        """`code`: of the failure, or ""."""
        ...

    def delivery_ended(self, outcome: str) -> None:
        """The outcome of a delivery to a worker. `done`: the task is over, paused, or was not to be run;
        `owned`: another worker runs it; `fenced`: another writer has taken it over during the run; `stopped`:
        the process ended; `failed`: an unexpected error."""
        ...
