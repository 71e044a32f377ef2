"""A callback: the URL to which a task's events are delivered, and the progress of the delivery."""

from __future__ import annotations

from dataclasses import dataclass, field

NOTIFIED_EVENTS = frozenset({"status", "approval"})
"""The kinds of event that make a callback due: the receiver may have to act on them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """At most one for each task. Progress is a position in the task's log, so that no event can be lost.

    kind       the kind of the notifier that delivers it, such as "webhook"
    url        never shown, because it may contain secrets
    host       host name and port of the URL; concurrent deliveries to one host are limited
    position   events up to this id were delivered, or need no delivery
    failures   failed attempts since the last successful one
    due        the time of the next attempt, in milliseconds since the epoch; None if nothing is to be
               delivered
    ended      whether delivery has stopped for good; `reason` says why
    reason     the reason of the last failure, shown to the principal
    principal  the id of the task's principal; stored with the task, so only `Outbox.next_callbacks` sets it
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
    principal: str = field(default="", compare=False)
