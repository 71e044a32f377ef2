"""What a change of the owner of tasks did, for every database."""

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
