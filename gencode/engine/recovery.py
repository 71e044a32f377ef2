"""What an earlier process left unfinished."""

from __future__ import annotations

from gencode.store import Query, Store
from gencode.task import WORKING, Task

PAGE = 500


async def unfinished(store: Store) -> list[Task]:
    """Every task that is not over, in the order of acceptance."""
    tasks: list[Task] = []
    before: str | None = None
    while page := await store.find(Query(statuses=WORKING, before=before, limit=PAGE)):
        tasks.extend(page)
        before = page[-1].id
    return tasks[::-1]
