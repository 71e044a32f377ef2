"""Reading the parts that a task has kept (see `artifacts` for their forms)."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.pipelines.generate.artifacts import OUTLINE, PART, REPAIR, KeptOutline, KeptPlan, Piece

Checkpoints = Mapping[str, str]
"""Every kept part of a task: JSON by name, in the order in which they were first kept."""
Pieces = Mapping[str, tuple[Piece, ...]]
"""By path, in the order in which they were answered."""


def kept_plan(checkpoints: Checkpoints) -> KeptPlan | None:
    return KeptPlan.model_validate_json(checkpoints["plan"]) if "plan" in checkpoints else None


def pieces(checkpoints: Checkpoints, kind: str) -> Pieces:
    """Kept under `KIND:N:PATH`."""
    found: dict[str, tuple[Piece, ...]] = {}
    for name, part in checkpoints.items():
        if name.startswith(f"{kind}:"):
            path = name.split(":", 2)[2]
            found[path] = (*found.get(path, ()), Piece.model_validate_json(part))
    return found


def repairs(checkpoints: Checkpoints) -> Mapping[int, Pieces]:
    """By round, from 1, as far as something was kept."""
    return _numbered(checkpoints, REPAIR)


def parts(checkpoints: Checkpoints) -> Mapping[int, Pieces]:
    """By number, from 1, as far as something was kept."""
    return _numbered(checkpoints, PART)


def outlines(checkpoints: Checkpoints) -> Mapping[str, KeptOutline]:
    """By path."""
    return {
        name.split(":", 2)[2]: KeptOutline.model_validate_json(part)
        for name, part in checkpoints.items()
        if name.startswith(f"{OUTLINE}:")
    }


def _numbered(checkpoints: Checkpoints, kind: str) -> Mapping[int, Pieces]:
    kinds = {name.partition(":")[0] for name in checkpoints if name.startswith(kind)}
    numbers = sorted(int(found.removeprefix(kind)) for found in kinds)
    return {number: pieces(checkpoints, f"{kind}{number}") for number in numbers}
