"""The interface of a kind of receiver, and what it is told about the kinds of task."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.notifications.sender import Message, Sender

TaskFields = Callable[[Task, Event], Mapping[str, Any]]
"""What the kind of a task adds to a notification of an event, such as the repository's address."""
TaskLabel = Callable[[Task], str]
"""What people call a task, such as the name of its repository."""
TaskStages = Callable[[Task], Sequence[str]]
"""Names of a task's stages, in the order in which it enters them."""


def no_fields(_task: Task, _event: Event) -> Mapping[str, Any]:
    return {}


def kind_label(task: Task) -> str:
    return task.kind


def no_stages(_task: Task) -> Sequence[str]:
    return ()


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
