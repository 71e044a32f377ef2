"""Tells those who follow a task how far its fetch is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace

import anyio

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.fetch.limits import FetchProgress

FETCH_PROGRESS = "fetch_progress"
"""The name of the event."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two events: each pause is twice the one before, since they are stored."""


@asynccontextmanager
async def reported_fetch(emit: Emit) -> AsyncIterator[FetchProgress]:
    """The progress to be given to a fetch within the block."""
    progress = FetchProgress()
    async with anyio.create_task_group() as group:
        group.start_soon(_report, progress, emit)
        yield progress
        group.cancel_scope.cancel()


async def _report(progress: FetchProgress, emit: Emit) -> None:
    pause, told = FIRST_PAUSE, FetchProgress()
    while True:
        await anyio.sleep(pause)
        if progress != told:
            told = replace(progress)
            await emit(StageUpdate(kind=FETCH_PROGRESS, data=asdict(told)))
        pause = min(2 * pause, LONGEST_PAUSE)
