"""Names of constraints and indexes: explicit, unique in the database, at most 60 characters."""

from __future__ import annotations

import hashlib

_MOST = 60


def constraint_name(kind: str, *parts: str) -> str:
    """`kind`: pk, fk, uq, ix, ck. A long name is cut, and ends with a digest of all of it."""
    name = "_".join((kind, *parts)).lower()
    if len(name) <= _MOST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _MOST - 9]}_{digest}"
