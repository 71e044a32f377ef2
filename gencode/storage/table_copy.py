"""Tables with pages and digests of their rows, to copy them to another database; those of a task database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gencode.storage.rows import (
    CALLBACK_COLUMNS,
    CHECKPOINT_COLUMNS,
    EVENT_COLUMNS,
    KEY_COLUMNS,
    REQUEST_COLUMNS,
    TASK_COLUMNS,
    Row,
)
from gencode.storage.usage_totals import TOTAL_COLUMNS, TOTAL_KEY

PAGE_ROWS = 1000
PAGE_CHARACTERS = 4_194_304


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """order   columns by which its rows are ordered, the same in all databases
    schema   in PostgreSQL
    sources  what SQLite reads for a column, as PostgreSQL casts its value to text; the column itself else
    """

    name: str
    columns: tuple[str, ...]
    order: tuple[str, ...]
    schema: str = "gencode"
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Its name in PostgreSQL."""
        return f"{self.schema}.{self.name}"


TABLES = (
    Table(name="requests", columns=REQUEST_COLUMNS, order=("task_id",)),
    Table(name="events", columns=EVENT_COLUMNS, order=("task_id", "id")),
    Table(name="checkpoints", columns=CHECKPOINT_COLUMNS, order=("position",)),
    Table(name="idempotency_keys", columns=KEY_COLUMNS, order=("principal", "value")),
    Table(name="callbacks", columns=CALLBACK_COLUMNS, order=("task_id",)),
    Table(name="usage_totals", columns=TOTAL_COLUMNS, order=TOTAL_KEY),
    Table(name="tasks", columns=TASK_COLUMNS, order=("id",)),
)
"""The tables in the order in which they are copied: a task is copied after everything that refers to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableDigest:
    """`sha256`: in hexadecimal, of the digests of all rows in their order."""

    rows: int
    sha256: str


class Report(Protocol):
    """Called from time to time with the progress of a step."""

    def __call__(self, step: str, table: str, done: int, total: int) -> None: ...


def pages(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in parts of at most PAGE_ROWS, and of about PAGE_CHARACTERS."""
    page, size = list[Row](), 0
    for row in rows:
        page.append(row)
        size += sum([len(value) for value in row if type(value) is str])
        if len(page) >= PAGE_ROWS or size >= PAGE_CHARACTERS:
            yield page
            page, size = [], 0
    if page:
        yield page


class RowDigests:
    """The digest of a table, from those of its rows in their order."""

    def __init__(self) -> None:
        self.rows = 0
        self._total = hashlib.sha256()

    def add(self, digest: bytes) -> None:
        self._total.update(digest)
        self.rows += 1

    def result(self) -> TableDigest:
        return TableDigest(rows=self.rows, sha256=self._total.hexdigest())
