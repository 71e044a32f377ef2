"""The result of a transfer of tasks from one owner to another, in every database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnershipTransfer:
    """What belongs to the other client now. `dropped_keys`: of `idempotency_keys`, those that it had used
    itself, which keep naming its own tasks."""

    tasks: int
    idempotency_keys: int
    callbacks: int
    dropped_keys: int
