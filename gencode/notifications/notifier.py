"""The interface of a kind of receiver, and how tasks are described to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.sender import Message, Sender


class TaskTexts(Protocol):
    """How the kind of a task describes it; see gencode.http.kinds. Works for unknown kinds too."""

    def label(self, task: Task) -> str:
        """What people call the task, such as the name of its repository."""
        ...

    def result_url(self, task: Task) -> str | None: ...

    def is_milestone(self, task: Task, status: str) -> bool:
        """Whether a chat is told that the task has this status."""
        ...

    def notification_fields(self, task: Task, event: Event) -> Mapping[str, Any]:
        """What the kind adds to a webhook about an event, such as the repository's address."""
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
        it, if there is one yet."""
        ...
