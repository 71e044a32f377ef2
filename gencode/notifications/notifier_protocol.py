"""Protocols: a notifier (one per kind of receiver), and the texts about a task that it sends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.sender import Message, Sender


class TaskTexts(Protocol):
    """Texts about a task, by its kind; see gencode.http.kinds. Also works for unknown kinds."""

    def label(self, task: Task) -> str:
        """The name of the task for users, such as the name of its repository."""
        ...

    def result_url(self, task: Task) -> str | None: ...

    def is_milestone(self, task: Task, status: str) -> bool:
        """Whether this status is reported in chats."""
        ...

    def notification_fields(self, task: Task, event: Event) -> Mapping[str, Any]:
        """Fields that the kind adds to a webhook about an event, such as the repository's URL."""
        ...


class Notifier(Protocol):
    """Turns events into messages and sends them. One per kind of receiver (`Callback.kind`)."""

    @property
    def retry_delays(self) -> Sequence[float]:
        """Seconds before the second attempt, the third, and so on. When the attempt after the last delay
        fails, the delivery is given up."""
        ...

    @property
    def permanent_statuses(self) -> Collection[int]:
        """HTTP statuses after which the receiver gets no more messages."""
        ...

    @property
    def send(self) -> Sender: ...

    def message(self, task: Task, event: Event, following: Event | None) -> Message | None:
        """The message for an event; None for an event that is not delivered. `following`: the event after
        it, if it exists already."""
        ...
