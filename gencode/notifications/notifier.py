"""The interface of a kind of receiver, and what it is told about the kinds of task."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.sender import Message, Sender


class TaskTexts(Protocol):
    """What the kind of a task says of it, also for an unknown kind; see gencode.http.kinds.ActiveKinds."""

    def label(self, task: Task) -> str:
        """What people call the task, such as the name of its repository."""
        ...

    def result_url(self, task: Task) -> str | None:
        """Where the result of a completed task is."""
        ...

    def is_milestone(self, task: Task, status: str) -> bool:
        """Whether chats are told that the task has this status."""
        ...

    def notification_fields(self, task: Task, event: Event) -> Mapping[str, Any]:
        """What the kind adds to a webhook's data, such as the repository's address."""
        ...


class Notifier(Protocol):
    """Turns events into messages and sends them. One per kind of receiver (`Callback.kind`)."""

    @property
    def waits(self) -> Sequence[float]:
        """Seconds before the second attempt, the third, and so on. When the attempt after the last wait
        fails, the delivery is given up."""
        ...

    @property
    def gone(self) -> Collection[int]:
        """HTTP statuses by which the receiver says that it wants no more messages."""
        ...

    @property
    def send(self) -> Sender: ...

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        """The message for an event; None for an event that is not delivered. `following`: the event after
        it, if there is one yet."""
        ...
