"""The result of a transfer of tasks from one owner to another, in every database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnershipTransfer:
    """The number of transferred records. `dropped_keys`: idempotency keys that both clients had used, which
    still name the tasks of the new owner."""

    tasks: int
    idempotency_keys: int
    callbacks: int
    dropped_keys: int
