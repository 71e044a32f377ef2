"""How a task is told: one kind of receiver each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.sender import Message, Sender


class TaskTexts(Protocol):
    """What the kind of a task says of it; see gencode.http.kinds. For unknown kinds, too."""

    def label(self, task: Task) -> str: ...

    def result_url(self, task: Task) -> str | None: ...

    def is_milestone(self, task: Task, status: str) -> bool: ...

    def notification_fields(self, task: Task, event: Event) -> Mapping[str, Any]: ...


class Notifier(Protocol):
    """`waits`: seconds before the second attempt, the third, ...; after the last one fails it is given up."""

    @property
    def waits(self) -> Sequence[float]: ...

    @property
    def gone(self) -> Collection[int]:
        """HTTP statuses by which the receiver says that it wants to be told no more."""
        ...

    @property
    def send(self) -> Sender: ...

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        """What is sent for this event; None for one that is not told. `following`: the event after it, if
        there is one yet."""
        ...
