"""The stage `approving_migration`: a person approves what the migration to this version may lose."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import anyio.to_thread

from gencode.blueprints import Blueprint
from gencode.blueprints.stack import Stack
from gencode.engine.ports.pipeline import Emit, Pause
from gencode.pipelines.build.artifacts import Built, Given
from gencode.pipelines.build.messages import approval_text

MAX_STEPS = 100
"""Of the migration that the event tells; the revision in the archive has all."""


def needs_approval(work: Built) -> bool:
    """Whether a migration of existing data is a part of the project, and nobody has approved it."""
    return bool(work.given.predecessors) and not work.given.may_lose_data


class ApprovingMigration:
    """`seconds`: how long a task waits for an approval."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, work: Built, emit: Emit) -> Built | Pause:
        steps = await anyio.to_thread.run_sync(destructive_steps, work.given)
        if not steps:
            return work
        return Pause(
            message=approval_text(steps, work.given.language),
            seconds=self._seconds,
            data={"steps": steps[:MAX_STEPS], "step_count": len(steps)},
        )


def destructive_steps(given: Given) -> list[dict[str, str]]:
    """What is done to the tables of the version before, and why data may be lost; [] if nothing is. Only the
    newest version is looked at: those before were built by themselves. Call it in a thread."""
    migrations: Any = import_module("gencode.blueprints.migrations")  # with the template engine
    old, new = (Blueprint.model_validate(one) for one in (given.predecessors[-1], given.blueprint))
    found = migrations.destructive_steps(old, new, Stack.model_validate(given.stack))
    return [
        {
            "step": migrations.described(operation, given.language),
            "reason": migrations.reason(operation, given.language),
        }
        for operation in found
    ]
