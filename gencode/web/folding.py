"""What is made of all that a task has kept: in a thread, and only a few at once, for that may be 32 MiB."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from gencode.pipelines.generate.kept import Kept
from gencode.web.parts import Parts

T = TypeVar("T")


async def folded(its: Parts, task_id: str, make: Callable[[Kept], T]) -> T:
    """What `make`, called in the thread, makes of it."""
    async with its.folding:
        return await anyio.to_thread.run_sync(make, await its.store.kept(task_id))
