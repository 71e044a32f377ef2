"""A callback: where a task's events are delivered, and how far the delivery has come."""

from __future__ import annotations

from dataclasses import dataclass, field

NOTIFIED_EVENTS = frozenset({"status", "approval"})
"""The kinds of event that make a callback due: the receiver may have to act on them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """At most one for each task. Progress is a position in the task's log, so that no event can be lost.

    kind      of the notifier that delivers it, such as "webhook"
    url       may hold secrets: it is never shown
    host      its host name and port: bounds concurrent deliveries to one receiver
    position  events up to this id were delivered, or need no delivery
    failures  failed attempts since the last successful one
    due       when to try next, in milliseconds since the epoch; None while there is nothing to deliver
    ended     whether delivery has stopped for good; `reason` says why
    reason    of the last failure, for the principal
    principal  id of the task's; stored with the task, so that only `Outbox.next_callbacks` sets it
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
