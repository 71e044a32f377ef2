"""A cache hit: the plan and files of an earlier task, stored as this task's own at no cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gencode.codegen.file_checkpoints import PIECE, Piece, Pieces, piece_name
from gencode.codegen.plan import Plan, PlanCheckpoint
from gencode.codegen.plan_request import plan_update
from gencode.engine.ports.pipeline import StageUpdate


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheHit:
    """The plan and the files of an earlier task.

    similarity  the similarity of the prompts, from 0 to 1; 1.0: the same cache key
    template    the template of that task (see `task_template`)
    """

    task_id: str
    similarity: float
    plan: Plan
    files: dict[str, str]
    template: Mapping[str, Any] | None = None


def pieces_of(cache_hit: CacheHit) -> Pieces:
    """Each file as one complete piece without usage."""
    return {path: (Piece(text=text, whole=True, joined=True),) for path, text in cache_hit.files.items()}


def cache_hit_updates(cache_hit: CacheHit, model: str) -> list[StageUpdate]:
    """The updates that store the plan and the files. Must be emitted in one call, so that a crash cannot
    leave a part of them."""
    source = {"from_task": cache_hit.task_id, "similarity": cache_hit.similarity}
    result = {"cached_from": cache_hit.task_id, "similarity": cache_hit.similarity}
    if cache_hit.template:
        result["template"] = cache_hit.template
    cached = StageUpdate(kind="cached", data=source, result=result)
    plan = plan_update(PlanCheckpoint(plan=cache_hit.plan), model)
    return [cached, plan, *_file_updates(cache_hit)]


def _file_updates(cache_hit: CacheHit) -> list[StageUpdate]:
    pieces = pieces_of(cache_hit)
    return [
        StageUpdate(
            kind="file",
            data={
                "path": file.path,
                "bytes": len(cache_hit.files[file.path].encode()),
                "calls": 0,
                "done": done,
                "of": len(pieces),
            },
            checkpoints={piece_name(PIECE, 1, file.path): pieces[file.path][0].model_dump_json()},
        )
        for done, file in enumerate(cache_hit.plan.files, start=1)
    ]
