"""Several pieces of paid work at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from gencode.domain.errors import GencodeError

T = TypeVar("T")
R = TypeVar("R")


async def do_each(items: Sequence[T], do: Callable[[T], Awaitable[R]], at_once: int) -> list[R]:
    """The results, in the order of the items. After an error no further item is begun; those under way are
    finished, because they are paid for. Raises the first GencodeError."""
    found: dict[int, R] = {}
    failures: list[GencodeError] = []
    limiter = anyio.CapacityLimiter(at_once)

    async def one(number: int, item: T) -> None:
        async with limiter:
            if failures:
                return
            try:
                found[number] = await do(item)
            except GencodeError as error:
                failures.append(error)

    async with anyio.create_task_group() as tasks:
        for number, item in enumerate(items):
            tasks.start_soon(one, number, item)
    if failures:
        raise failures[0]
    return [found[number] for number in range(len(items))]
