"""To whom the rows of a resource belong: who may read them, and who may change them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession


class Action(StrEnum):
    """The verbs of operations that write."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


class Access(ABC):
    """`places`: the columns that say where a row belongs. A change of one is checked as a change where the
    row was, and as a creation where it goes."""

    places: Sequence[str] = ()

    @abstractmethod
    def is_readable(self, table: Any, principal: str) -> ColumnElement[bool]:
        """The rows of the table that the principal may read. All others are as if they were not there."""

    @abstractmethod
    async def check(self, session: AsyncSession, row: Any, principal: str, action: Action) -> None:
        """Raises Forbidden, or another RequestError, unless the principal may do this with a row that is
        readable, or new."""


class ByOwner(Access):
    """A row belongs to the principal who created it."""

    def is_readable(self, table: Any, principal: str) -> ColumnElement[bool]:
        found: ColumnElement[bool] = table.owner == principal
        return found

    async def check(self, session: AsyncSession, row: Any, principal: str, action: Action) -> None:
        """Nobody else reaches it."""


BY_OWNER = ByOwner()
