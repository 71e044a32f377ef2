"""Reads DBML (https://dbml.dbdiagram.io): tables, partial tables, enums, references, indexes, notes."""

from __future__ import annotations

from gencode.blueprints.importing.dbml.parser import DbmlParser
from gencode.blueprints.importing.notes import NoteList
from gencode.blueprints.importing.relational.schema import Schema


def read_dbml(text: str, notes: NoteList) -> Schema:
    """Raises ImportFailed with the line and the column of what cannot be read."""
    return DbmlParser(text, notes).read()
