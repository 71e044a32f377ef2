"""A task's events, shown as they come."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass

from gencode.cli.display.screen import Screen
from gencode.client import Client


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """last: the id of the last event; paused: whether more will come after it, as was asked for."""

    last: int
    paused: bool


async def follow(
    client: Client, task_id: str, screen: Screen, after: int = 0, pause_at: Collection[str] = ()
) -> Heard:
    """Show what comes after an event until the task is over, or has sent an event of these kinds."""
    with screen:
        stream = client.events(task_id, after, include=["progress"], notice=screen.lost)
        async with aclosing(stream) as messages:
            async for message in messages:
                screen.show(message)
                after = message.id or after
                if message.kind in pause_at:
                    return Heard(last=after, paused=True)
    return Heard(last=after, paused=False)
