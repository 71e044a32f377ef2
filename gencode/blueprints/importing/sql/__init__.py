"""Reads SQL DDL: CREATE TABLE, TYPE, DOMAIN and INDEX, ALTER TABLE, COMMENT ON, of five dialects.

The statements are split here, so that data and functions of a dump are not parsed, and one statement that
sqlglot cannot read does not hide the others. This package imports sqlglot: import it where it is needed.
"""

from __future__ import annotations

from gencode.blueprints.importing.notes import NoteList
from gencode.blueprints.importing.relational.schema import Schema
from gencode.blueprints.importing.sql.dialects import guessed_dialect
from gencode.blueprints.importing.sql.reader import SqlReader
from gencode.blueprints.importing.sql.statements import statements


def read_sql(text: str, dialect: str, notes: NoteList) -> Schema:
    """Raises ImportFailed."""
    chosen = dialect or guessed_dialect(text)
    reader = SqlReader(chosen, notes, is_guessed=not dialect)
    for statement in statements(text, chosen):
        reader.read(statement)
    return reader.finished()
