"""What an earlier process left unfinished."""

from __future__ import annotations

from gencode.domain.task import WORKING, Task
from gencode.engine.store import Store, TaskQuery

PAGE = 500


async def unfinished(store: Store) -> list[Task]:
    """Every task that is not over, in the order of acceptance."""
    tasks: list[Task] = []
    before: str | None = None
    while page := await store.find(TaskQuery(statuses=WORKING, before=before, limit=PAGE)):
        tasks.extend(page)
        before = page[-1].id
    return tasks[::-1]
