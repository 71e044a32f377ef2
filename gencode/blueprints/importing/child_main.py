"""The program of the child in which one text is imported (see `gencode.limited_child`)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from gencode.blueprints.importing.imported import ImportFailed, SourceFormat
from gencode.blueprints.importing.reading import import_text
from gencode.limited_child.program import ChildLimits, Progress, serve
from gencode.limited_child.protocol import ChildRequest

LIMITS = ChildLimits(
    step_cpu_seconds=10, cpu_seconds=10, memory=2**29, memory_per_character=200, max_memory=2**30
)
MAX_DOCUMENT = 8 * 2**20
"""Characters of the document that is made of a text."""
_RECURSION_LIMIT = 2_000


def main() -> None:
    serve({"import": _import}, LIMITS)


def _import(request: ChildRequest, progress: Progress) -> Mapping[str, Any]:
    """The blueprint and the notes as JSON, or the error with its place."""
    sys.setrecursionlimit(_RECURSION_LIMIT)
    progress(0)
    source = SourceFormat(request.arguments["format"])
    try:
        imported = import_text(source, request.texts["text"], request.arguments["dialect"])
        document = imported.model_dump_json(by_alias=True)
        if len(document) > MAX_DOCUMENT:
            raise ImportFailed(f"its blueprint is larger than {MAX_DOCUMENT // 2**20} MB: import it in parts")
    except ImportFailed as error:
        return {"error": error.message, "line": error.line, "column": error.column}
    return {"imported": document}
