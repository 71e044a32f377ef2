"""The operations of a migration: values that say what is done to a table, and what that may cost.

Names are those that tables and columns have at the moment of the operation. `revision` writes them through a
template, `words` tells them to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal

from gencode.blueprints.migrations.schema import Column


class Risk(StrEnum):
    """Why an operation is destructive: it loses data, or fails on data that the older version allowed."""

    DROPS_TABLE = "drops-table"
    DROPS_COLUMN = "drops-column"
    NARROWS = "narrows"
    MAY_FAIL = "cast-may-fail"
    LOSES_VALUES = "loses-values"
    REMOVES_VALUES = "removes-values"
    REQUIRES = "requires"
    HELD = "held"
    """It stops the migration if there are rows: no value would be right for them."""
    DUPLICATES = "duplicates"


@dataclass(frozen=True, kw_only=True, slots=True)
class MigrationOperation:
    """element         of the blueprint
    label           what people call it
    needs_decision  rows get the neutral value of a type, as the blueprint says none
    """

    type: ClassVar[str]

    table: str
    element: str
    label: str
    risk: Risk | None = None
    needs_decision: bool = False

    @property
    def destructive(self) -> bool:
        return self.risk is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateTable(MigrationOperation):
    """`source`: what templates see of an entity or of a join table."""

    type: ClassVar[str] = "create_table"

    source: Mapping[str, Any]
    is_join: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DropTable(MigrationOperation):
    type: ClassVar[str] = "drop_table"


@dataclass(frozen=True, kw_only=True, slots=True)
class RenameTable(MigrationOperation):
    type: ClassVar[str] = "rename_table"

    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AddColumn(MigrationOperation):
    """`fill`: what existing rows get, an expression; "" where none is needed, or none would be right."""

    type: ClassVar[str] = "add_column"

    column: Column
    fill: str = ""
    statement: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DropColumn(MigrationOperation):
    type: ClassVar[str] = "drop_column"

    column: Column


@dataclass(frozen=True, kw_only=True, slots=True)
class RenameColumn(MigrationOperation):
    type: ClassVar[str] = "rename_column"

    column: Column
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvertColumn(MigrationOperation):
    """`expression`: "" where the database converts by itself. With `via`, the name of a column that is there
    for a moment, the values are converted by `statement`."""

    type: ClassVar[str] = "convert_column"

    column: Column
    before: Column
    expression: str = ""
    via: str = ""
    statement: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetNullable(MigrationOperation):
    """`statement`: gives rows without a value one, before the column requires it."""

    type: ClassVar[str] = "set_nullable"

    column: Column
    statement: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeValues(MigrationOperation):
    """Of an enum. `renamed`: by old name; `added`, `removed`: names. `statement`: "" where no row changes."""

    type: ClassVar[str] = "change_values"

    column: Column
    renamed: Mapping[str, str]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    statement: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeDefault(MigrationOperation):
    """The database has no defaults, the models have: nothing is done to the table."""

    type: ClassVar[str] = "change_default"

    column: Column
    before: Column


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateConstraint(MigrationOperation):
    type: ClassVar[str] = "create_constraint"

    kind: Literal["unique", "index", "check"]
    name: str
    columns: tuple[str, ...]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateForeignKey(MigrationOperation):
    type: ClassVar[str] = "create_foreign_key"

    name: str
    column: str
    target: str
    on_delete: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DropConstraint(MigrationOperation):
    type: ClassVar[str] = "drop_constraint"

    kind: Literal["unique", "index", "check", "foreignkey"]
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RenameConstraint(MigrationOperation):
    """`statement`: Alembic has no operation for it."""

    type: ClassVar[str] = "rename_constraint"

    name: str
    after: str
    statement: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard(MigrationOperation):
    """Stops the migration before anything is done if `query` finds a row."""

    type: ClassVar[str] = "guard"

    query: str
    message: str
