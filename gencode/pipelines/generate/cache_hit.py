"""What an earlier task made becomes this task's own: kept and told as if a model had said it, for nothing."""

from __future__ import annotations

from gencode.codegen.planning import plan_progress
from gencode.engine.pipeline import StageUpdate
from gencode.pipelines.generate.artifacts import PIECE, KeptPlan, Piece
from gencode.pipelines.generate.prompt_cache import CacheHit


def pieces_of(cache_hit: CacheHit) -> dict[str, tuple[Piece, ...]]:
    return {path: (Piece(text=text, whole=True, joined=True),) for path, text in cache_hit.files.items()}


def cache_hit_updates(cache_hit: CacheHit, model: str) -> list[StageUpdate]:
    """To be sent at once, so that there is no half of it."""
    whence = {"from_task": cache_hit.task_id, "similarity": cache_hit.similarity}
    result = {"cached_from": cache_hit.task_id, "similarity": cache_hit.similarity}
    cached = StageUpdate(kind="cached", data=whence, result=result)
    plan = plan_progress(KeptPlan(plan=cache_hit.plan), model)
    return [cached, plan, *_files(cache_hit)]


def _files(cache_hit: CacheHit) -> list[StageUpdate]:
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
            checkpoints={f"{PIECE}:1:{file.path}": pieces[file.path][0].model_dump_json()},
        )
        for done, file in enumerate(cache_hit.plan.files, start=1)
    ]
