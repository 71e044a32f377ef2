"""A part of what `gencode migrate` copies: tasks, or the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gencode.storage.table_copy import Report, TableDigest

Digests = Mapping[str, TableDigest]
"""By the names of tables, which differ among all parts."""


class MigrationPart(Protocol):
    """Raises StoreUnusable."""

    async def digests(self, report: Report) -> Digests:
        """Of the tables in DATA_DIR."""

    async def check_empty(self) -> None:
        """Refuses a database that has content of this part."""

    async def copy(self, expected: Digests, report: Report) -> None:
        """Copies the rows that the database does not have yet. `expected`: see `digests`."""

    async def copied_digests(self, report: Report) -> Digests:
        """Of the tables in the database."""


def named(report: Report, prefix: str) -> Report:
    """Tells names of tables with a prefix."""
    return lambda step, table, done, total: report(step, f"{prefix}{table}", done, total)
