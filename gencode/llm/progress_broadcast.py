"""Sends the progress of this process's tasks to the other processes, and stores theirs for requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import anyio

from gencode.llm.progress_tracker import ProgressRegistry, ProgressSnapshot, RunProgress

REPORT_INTERVAL = 1.0
"""Seconds between two reports."""
MAX_REPORT = 7_500
"""The most bytes of a report; one that would be longer omits the active calls."""

Send = Callable[[str, str], None]
"""Sends a report. The second argument is the id of its task: of two unsent reports of a task, the later one
replaces the earlier."""


class ProgressBroadcast:
    """Exchanges reports with other processes. `send`: sends to them; they pass what they receive to
    `receive`. A lost report is harmless."""

    def __init__(self, registry: ProgressRegistry, send: Send) -> None:
        self._registry = registry
        self._send = send

    async def run(self) -> None:
        """Reports every REPORT_INTERVAL until cancelled."""
        while True:
            self.report()
            await anyio.sleep(REPORT_INTERVAL)

    def report(self) -> None:
        for task_id, progress in self._registry.own().items():
            self._send(_encoded(task_id, progress), task_id)

    def receive(self, report: str) -> None:
        """Stores a report. Raises ValueError, KeyError, TypeError for text that no ProgressBroadcast has
        sent."""
        data = json.loads(report)
        self._registry.report(data["task"], _decoded(data))


def _encoded(task_id: str, progress: RunProgress) -> str:
    snapshot = progress.snapshot
    until = snapshot.rate_limited_until
    data: dict[str, Any] = {
        "task": task_id,
        "percent": snapshot.percent,
        "seconds_left": snapshot.seconds_left,
        "stalled": snapshot.stalled,
        "rate_limited_until": until.isoformat() if until else None,
        "active_calls": sorted(progress.active_calls),
    }
    report = json.dumps(data)
    return report if len(report) <= MAX_REPORT else json.dumps({**data, "active_calls": []})


def _decoded(data: dict[str, Any]) -> RunProgress:
    until = data["rate_limited_until"]
    snapshot = ProgressSnapshot(
        percent=data["percent"],
        seconds_left=data["seconds_left"],
        stalled=data["stalled"],
        rate_limited_until=datetime.fromisoformat(until) if until else None,
    )
    return RunProgress(snapshot=snapshot, active_calls=frozenset(data["active_calls"]))
