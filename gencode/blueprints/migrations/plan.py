"""Operations by phase: in an order that works.

What is no longer wanted goes first (foreign keys, then constraints, then columns and tables), under its old
name; then tables, columns and constraints get their new names; then what is new is made, foreign keys last.
"""

from __future__ import annotations

from collections import defaultdict
from enum import IntEnum

from gencode.blueprints.migrations.operations import MigrationOperation
from gencode.blueprints.migrations.schema import Schema
from gencode.blueprints.stack import Database


class Phase(IntEnum):
    GUARD = 0
    DROP_FOREIGN_KEY = 1
    DROP_CONSTRAINT = 2
    DROP_TABLE = 3
    DROP_COLUMN = 4
    RENAME_TABLE = 5
    RENAME_COLUMN = 6
    RENAME_CONSTRAINT = 7
    CREATE_TABLE = 8
    ADD_COLUMN = 9
    CHANGE_COLUMN = 10
    CREATE_CONSTRAINT = 11
    CREATE_FOREIGN_KEY = 12


class Plan:
    """Two schemas, and what was found so far."""

    def __init__(self, old: Schema, new: Schema, database: Database) -> None:
        self.old = old
        self.new = new
        self.database = database
        self._phases: defaultdict[Phase, list[MigrationOperation]] = defaultdict(list)

    @property
    def is_mysql(self) -> bool:
        return self.database is Database.MYSQL

    def add(self, phase: Phase, operation: MigrationOperation) -> None:
        self._phases[phase].append(operation)

    def operations(self) -> list[MigrationOperation]:
        return [operation for phase in Phase for operation in self._phases[phase]]
