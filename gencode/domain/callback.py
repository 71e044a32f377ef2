"""A callback: whom to tell of a task, and how far the telling has come."""

from __future__ import annotations

from dataclasses import dataclass, field

NEWS = frozenset({"status", "approval"})
"""The kinds of event that make a callback due: whoever is told of them may have to act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """At most one for each task. What has been told is a position in the task's log, so nothing can be lost.

    kind      how it is told, such as "webhook"
    url       an address that may hold secrets: it is shown to nobody
    host      its part that names the machine and port: bounds what goes there at once
    position  events up to this id were told, or need no telling
    failures  attempts that failed since the last that did not
    due       when to try next, in milliseconds since the epoch; None: there is nothing to tell
    ended     nothing is told any more; `reason` says why
    reason    of the last failure, in words for the client
    """

    task_id: str
    kind: str
    url: str = field(repr=False)
    host: str
    position: int = 0
    failures: int = 0
    due: int | None = 0
    ended: bool = False
    reason: str = ""
