"""A program of a limited child that never returns of itself."""

from __future__ import annotations

from gencode.limited_child.program import ChildLimits, Progress, serve
from gencode.limited_child.protocol import ChildRequest

LIMITS = ChildLimits(step_cpu_seconds=1, cpu_seconds=1, memory=2**28, max_memory=2**28)


def main() -> None:
    serve({"calculate": _calculate, "collect": _collect, "fail": _fail, "count": _count}, LIMITS)


def _calculate(request: ChildRequest, progress: Progress) -> None:
    progress(0)
    while True:
        pass


def _collect(request: ChildRequest, progress: Progress) -> None:
    progress(-1)
    collected = []
    while True:
        collected.append(bytearray(2**20))


def _fail(request: ChildRequest, progress: Progress) -> None:
    raise KeyError(request.arguments["key"])


def _count(request: ChildRequest, progress: Progress) -> list[int]:
    return [len(request.data), *map(len, request.texts.values())]
