"""Reads OpenAPI 3 (and what Swagger 2.0 has alike): schemas become entities, operations become apis."""

from __future__ import annotations

from typing import Any

from gencode.blueprints.identifiers import snake
from gencode.blueprints.importing.notes import NoteList
from gencode.blueprints.importing.openapi.entities import Entities
from gencode.blueprints.importing.openapi.loading import Document, load, text_of
from gencode.blueprints.importing.openapi.operations import Operations, used_in_errors_only
from gencode.blueprints.importing.relational.names import is_readable


def read_openapi(text: str, notes: NoteList) -> dict[str, Any]:
    """A document whose names may be invalid. Raises ImportFailed."""
    document = Document(load(text), notes)
    entities = Entities(document, used_in_errors_only(document), notes)
    operations = Operations(document, entities, notes)
    operations.read()
    title = text_of(document.info.get("title"))
    return {
        "projectName": snake(title)[:50].strip("_") if is_readable(title) else "",
        "label": title[:200],
        "description": text_of(document.info.get("description"), 10_000),
        "dataModels": list(entities.documents()),
        "apis": operations.apis,
        "businessFlows": operations.flows,
    }
