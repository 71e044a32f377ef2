"""What an earlier task made becomes this task's own: kept and told as if a model had said it, for nothing."""

from __future__ import annotations

from gencode.pipeline import Progress
from gencode.pipelines.generate.artifacts import PIECE, KeptPlan, Piece
from gencode.pipelines.generate.planning import plan_progress
from gencode.pipelines.generate.recall import Recalled


def pieces_of(recalled: Recalled) -> dict[str, tuple[Piece, ...]]:
    return {path: (Piece(text=text, whole=True, joined=True),) for path, text in recalled.files.items()}


def taken_over(recalled: Recalled, model: str) -> list[Progress]:
    """To be sent at once, so that there is no half of it."""
    whence = {"from_task": recalled.task_id, "similarity": recalled.similarity}
    result = {"cached_from": recalled.task_id, "similarity": recalled.similarity}
    cached = Progress(kind="cached", data=whence, result=result)
    plan = plan_progress(KeptPlan(plan=recalled.plan), model)
    return [cached, plan, *_files(recalled)]


def _files(recalled: Recalled) -> list[Progress]:
    pieces = pieces_of(recalled)
    return [
        Progress(
            kind="file",
            data={
                "path": file.path,
                "bytes": len(recalled.files[file.path].encode()),
                "calls": 0,
                "done": done,
                "of": len(pieces),
            },
            keep={f"{PIECE}:1:{file.path}": pieces[file.path][0].model_dump_json()},
        )
        for done, file in enumerate(recalled.plan.files, start=1)
    ]
