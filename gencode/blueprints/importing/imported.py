"""What an importer makes of a text, and the error of a text that it cannot read."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gencode.blueprints.importing.notes import Note
from gencode.blueprints.model import Blueprint

MAX_CHARACTERS = 4_000_000
"""Of a text."""


class SourceFormat(StrEnum):
    SQL = "sql"
    DBML = "dbml"
    JDL = "jdl"
    OPENAPI = "openapi"
    BLUEPRINT = "blueprint"


class Imported(BaseModel):
    """A blueprint, with the fixes of its errors that have one, and what of the source it has not."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    blueprint: Blueprint
    notes: list[Note]


class ImportFailed(ValueError):
    """The text cannot be read. `line` and `column` begin with 1; 0 means that no place is known."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}" if self.line else self.message
