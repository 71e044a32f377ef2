"""Reads a text of any format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from gencode.blueprints.importing.dbml import read_dbml
from gencode.blueprints.importing.finishing import finished
from gencode.blueprints.importing.imported import MAX_CHARACTERS, Imported, ImportFailed, SourceFormat
from gencode.blueprints.importing.jdl import read_jdl
from gencode.blueprints.importing.notes import NoteList
from gencode.blueprints.importing.openapi import read_openapi
from gencode.blueprints.importing.relational.to_blueprint import blueprint_document

Reader = Callable[[str, str, NoteList], dict[str, Any]]
"""Text and dialect become a document."""


def import_text(source: SourceFormat, text: str, dialect: str = "") -> Imported:
    """`dialect`: of SQL, such as "postgres"; "" guesses it. Raises ImportFailed."""
    if len(text) > MAX_CHARACTERS:
        raise ImportFailed(f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    notes = NoteList()
    try:
        document = _READERS[source](text.removeprefix("\ufeff"), dialect, notes)
    except RecursionError:
        raise ImportFailed("the text is nested too deeply") from None
    return finished(document, notes)


def _dbml(text: str, _dialect: str, notes: NoteList) -> dict[str, Any]:
    return blueprint_document(read_dbml(text, notes), notes)


def _sql(text: str, dialect: str, notes: NoteList) -> dict[str, Any]:
    try:
        sql = import_module("gencode.blueprints.importing.sql")  # with sqlglot, of the extra `workspace`
    except ModuleNotFoundError:
        raise ImportFailed("SQL is read by the library sqlglot: install the extra workspace") from None
    return blueprint_document(sql.read_sql(text, dialect, notes), notes)


def _jdl(text: str, _dialect: str, notes: NoteList) -> dict[str, Any]:
    return read_jdl(text, notes)


def _openapi(text: str, _dialect: str, notes: NoteList) -> dict[str, Any]:
    return read_openapi(text, notes)


def _blueprint(text: str, _dialect: str, _notes: NoteList) -> dict[str, Any]:
    """A document as `GET .../export` or the API gives it: itself, or as `spec`."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ImportFailed(f"this is not JSON: {error.msg}", error.lineno, error.colno) from None
    if not isinstance(document, dict):
        raise ImportFailed("this is no blueprint: a document is expected", 1, 1)
    spec = document.get("spec")
    return spec if isinstance(spec, dict) else document


_READERS: Mapping[SourceFormat, Reader] = {
    SourceFormat.SQL: _sql,
    SourceFormat.DBML: _dbml,
    SourceFormat.JDL: _jdl,
    SourceFormat.OPENAPI: _openapi,
    SourceFormat.BLUEPRINT: _blueprint,
}
