"""Shows a paused task to the user, who may change it and approve it."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from gencode.cli.output import printable
from gencode.client import Client
from gencode.domain.errors import StartError


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """What a user approves.

    document  the service's own, for --json
    lines     the same as text lines
    revision  what the approval is for: refused (412) if it has changed since. None: whatever is there
    """

    document: Any
    lines: Sequence[str]
    revision: int | None = None


class Reviewer(Protocol):
    """A kind's way to show and change what waits for approval. Every method raises ServiceError.

    noun  what is approved, such as "plan"
    """

    @property
    def noun(self) -> str: ...

    @property
    def can_edit(self) -> bool: ...

    async def read(self, client: Client, task_id: str) -> Review: ...

    async def edit(self, client: Client, task_id: str, review: Review) -> Review:
        """Let the user edit it and store the change. Raises StartError."""
        ...


class TaskReviewer:
    """For kinds that register no Reviewer: the task itself is approved."""

    noun = "task"
    can_edit = False

    async def read(self, client: Client, task_id: str) -> Review:
        task = await client.task(task_id)
        lines = [f"{task['status']}: {task['message']}"]
        if until := task.get("approve_by"):
            lines.append(f"it waits until {until}")
        return Review(document=task, lines=lines)

    async def edit(self, client: Client, task_id: str, review: Review) -> Review:
        raise StartError("a task of this kind has nothing to edit before it is approved")


def reviewer_for(args: argparse.Namespace, kind: str) -> Reviewer:
    return args.registry.reviewer(kind) or TaskReviewer()


async def ask_for_approval(client: Client, task_id: str, reviewer: Reviewer) -> bool:
    """Show the review and prompt the user until there is an answer. Return whether the task was approved."""
    while True:
        review = await reviewer.read(client, task_id)
        for line in review.lines:
            print(printable(line))
        answer = _ask(reviewer)
        if answer in ("y", "yes"):
            await client.approve(task_id, revision=review.revision)
            return True
        if answer not in ("e", "edit") or not reviewer.can_edit:
            return False
        await reviewer.edit(client, task_id, review)


def _ask(reviewer: Reviewer) -> str:
    """Blocks the event loop, which has nothing else to do. Its SIGINT handler would act only after the
    answer, so Python's own is installed meanwhile."""
    edit = " [e]dit," if reviewer.can_edit else ""
    with sigint_handler(signal.default_int_handler):
        try:
            return input(f"\napprove this {reviewer.noun}? [y]es,{edit} [N]o: ").strip().lower()
        except EOFError:
            return "no"


@contextmanager
def sigint_handler(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Handle SIGINT by `handler` meanwhile."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
