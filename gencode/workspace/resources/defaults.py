"""The mark `is_default`, which one row of an owner has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.resources.declaration import OwnedRow


async def move_default(session: AsyncSession, row: OwnedRow, *same: str) -> None:
    """If the row asks for the mark, the owner's other rows lose it; `same`: only those that have the same
    values in these columns."""
    table: Any = type(row)
    if not getattr(row, "is_default"):  # noqa: B009 - a column of the subclass
        return
    others = [table.owner == row.owner, table.id != row.id, table.is_default.is_(True)]
    others += [getattr(table, name) == getattr(row, name) for name in same]
    await session.execute(update(table).where(*others).values(is_default=False, version=table.version + 1))
