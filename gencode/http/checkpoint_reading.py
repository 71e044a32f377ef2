"""What is made of all that a task has kept: in a thread, and only a few at once, for that may be 32 MiB."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from gencode.codegen.pieces import Checkpoints
from gencode.http.services import Services

T = TypeVar("T")


async def read_checkpoints(services: Services, task_id: str, make: Callable[[Checkpoints], T]) -> T:
    """What `make`, called in the thread, makes of it."""
    async with services.checkpoint_readers:
        return await anyio.to_thread.run_sync(make, await services.store.checkpoints(task_id))
