"""Which principal may still put a task into a queue that is nearly full."""

from __future__ import annotations

from gencode.domain.errors import QueueFull
from gencode.domain.phrase import Phrase

GUARANTEED_SHARE = 20


def check_place(limit: int, taken: int, own: int) -> None:
    """Raises QueueFull.

    limit   most tasks that may wait. Beyond it there are half as many again for principals that have less
            than a GUARANTEED_SHARE of the limit waiting: a flood of one client does not block others
    taken   tasks that wait, places reserved for tasks that are being stored included
    own     of those, the principal's
    """
    if not _has_place(limit, taken, own):
        raise QueueFull(
            Phrase("{limit} tasks are waiting already; try again later", limit=limit), retry_after=10
        )


def _has_place(limit: int, taken: int, own: int) -> bool:
    if taken < limit:
        return True
    guaranteed = max(1, limit // GUARANTEED_SHARE)
    return taken - own > 0 and own < guaranteed and taken < limit + limit // 2
