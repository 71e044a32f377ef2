"""The program of the child in which one document is read (see `gencode.limited_child`)."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gencode.documents.errors import DocumentError
from gencode.documents.reader import read_document
from gencode.limited_child.program import ChildLimits, Progress, serve
from gencode.limited_child.protocol import ChildRequest

LIMITS = ChildLimits(step_cpu_seconds=8, cpu_seconds=8, memory=2**29, max_memory=2**29)
_RECURSION_LIMIT = 5_000
"""Readers take about 20 calls for each level of nesting, of which documents have at most 150."""


def main() -> None:
    serve({"read": _read}, LIMITS)


def _read(request: ChildRequest, progress: Progress) -> Mapping[str, Any]:
    """The document, or the name of a class of errors and its message."""
    gc.disable()  # the trees of a large document take a third of the time without it
    sys.setrecursionlimit(_RECURSION_LIMIT)
    progress(-1)
    try:
        document = read_document(request.arguments["name"], request.data, request.arguments["max_characters"])
    except DocumentError as error:
        return {"error": type(error).__name__, "message": error.message}
    except ModuleNotFoundError as error:
        return {"error": "ModuleNotFoundError", "message": str(error.name)}
    return {"document": asdict(document)}
