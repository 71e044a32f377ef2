"""The port to metrics of stages and tasks."""

from __future__ import annotations

from typing import Protocol


class EngineMetrics(Protocol):
    def stage_finished(self, stage: str, seconds: float) -> None: ...

    def task_finished(self, status: str, code: str) -> None:
        """`code`: of the failure, or ""."""
        ...
