"""Checks whether a task's state allows a retry or an approval."""

from __future__ import annotations

from gencode.domain.errors import AlreadyFinished, ApprovalExpired, NotPaused, StillWorking
from gencode.domain.task import State, Task


def has_expired(task: Task) -> bool:
    """Whether the task failed because its approval expired: its retry pauses again."""
    return task.failure is not None and task.failure.code == ApprovalExpired.code


def check_over(task: Task) -> None:
    if not task.state.is_terminal:
        raise StillWorking(f"the task is {task.status}: cancel it first, then delete it")


def check_paused(task: Task) -> None:
    if task.state.is_terminal:
        raise AlreadyFinished(f"the task is {task.status}; nothing of it waits for approval")
    if task.state is not State.PAUSED:
        raise NotPaused(f"the task is {task.status}; nothing of it waits for approval, or not yet")


def check_failed(task: Task) -> None:
    if not task.state.is_terminal:
        raise StillWorking(f"the task is {task.status}: it has not failed, so there is nothing to try again")
    if task.state is not State.FAILED:
        raise AlreadyFinished(f"the task is {task.status}; only a failed one can be tried again")
