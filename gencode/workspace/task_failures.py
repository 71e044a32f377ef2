"""What the row of a resource says of a task that has failed while it worked for it."""

from __future__ import annotations

from dataclasses import dataclass

from gencode.domain.errors import GencodeError

CANCELLED = "CANCELLED"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFailure:
    code: str
    text: str


def failure_of(error: BaseException) -> RowFailure:
    """`error`: what ended the stage, also by a cancellation."""
    if isinstance(error, BaseExceptionGroup):
        known = [one for one in error.exceptions if isinstance(one, GencodeError)]
        error = next(iter(known or error.exceptions))
    if isinstance(error, GencodeError):
        return RowFailure(code=error.code, text=error.message)
    if isinstance(error, Exception):
        return RowFailure(code="INTERNAL", text="an unexpected error; the task has its reference")
    return RowFailure(code=CANCELLED, text="the task was cancelled or interrupted")
