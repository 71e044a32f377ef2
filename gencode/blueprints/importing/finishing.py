"""The last step of every import: the fixes of errors, told as notes, and the form of the document."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from gencode.blueprints.comparison import compare, describe
from gencode.blueprints.fixes import repaired
from gencode.blueprints.importing.imported import Imported, ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.links import normalised
from gencode.blueprints.model import Blueprint


def finished(document: dict[str, Any], notes: NoteList) -> Imported:
    """Raises ImportFailed."""
    try:
        read = normalised(Blueprint.model_validate(document))
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        raise ImportFailed(f"{where}: {first['msg']}") from None
    blueprint, _ = repaired(read)
    for change in compare(read, blueprint):
        notes.add(
            NoteRule.ADAPTED,
            change.element,
            change=describe(change, "en"),
            change_zh=describe(change, "zh"),
        )
    return Imported(blueprint=blueprint, notes=notes.all())
