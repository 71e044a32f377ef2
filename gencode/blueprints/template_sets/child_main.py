"""The program of the child in which uploaded templates are compiled and run (see `gencode.limited_child`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.blueprints.template_sets.set_rendering import OutputTooLarge, SetRendering
from gencode.limited_child.program import ChildLimits, Progress, serve
from gencode.limited_child.protocol import ChildRequest

LIMITS = ChildLimits(
    step_cpu_seconds=5,  # all files of one template and context; an official one takes 0.1 s
    cpu_seconds=30,
    memory=2**29,
    max_memory=2**29,
)


def main() -> None:
    serve({"render": _render}, LIMITS)


def _render(request: ChildRequest, progress: Progress) -> Mapping[str, Any]:
    arguments = request.arguments
    rendering = SetRendering(
        request.texts, arguments["files"], arguments["max_files"], arguments["max_characters"], progress
    )
    try:
        return {"projects": [rendering.project(context) for context in arguments["contexts"]]}
    except OutputTooLarge as error:
        return {"too_large": str(error)}
    except TimeoutError:
        return {"too_large": "the templates take too long together"}
