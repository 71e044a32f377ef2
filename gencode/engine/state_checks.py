"""Checks whether a task's state allows a retry or an approval."""

from __future__ import annotations

from gencode.domain.errors import AlreadyFinished, ApprovalExpired, NotPaused, StillWorking
from gencode.domain.phrase import Phrase
from gencode.domain.task import State, Task


def has_expired(task: Task) -> bool:
    """Whether the task failed because its approval expired: its retry pauses again."""
    return task.failure is not None and task.failure.code == ApprovalExpired.code


def check_over(task: Task) -> None:
    if not task.state.is_terminal:
        raise StillWorking(
            Phrase("the task is {status}: cancel it first, then delete it", status=task.status)
        )


def check_paused(task: Task) -> None:
    if task.state.is_terminal:
        raise AlreadyFinished(
            Phrase("the task is {status}; nothing of it waits for approval", status=task.status)
        )
    if task.state is not State.PAUSED:
        raise NotPaused(
            Phrase("the task is {status}; nothing of it waits for approval, or not yet", status=task.status)
        )


def check_failed(task: Task) -> None:
    if not task.state.is_terminal:
        raise StillWorking(
            Phrase(
                "the task is {status}: it has not failed, so there is nothing to try again",
                status=task.status,
            )
        )
    if task.state is not State.FAILED:
        raise AlreadyFinished(
            Phrase("the task is {status}; only a failed one can be tried again", status=task.status)
        )
