"""What a build changes in comparison with an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio.to_thread

from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import Store
from gencode.pipelines.build.artifacts import Built, HoleOutcomes, RenderedProject, filled_files
from gencode.pipelines.build.names import HOLES, RENDERED

MAX_PATHS = 200
"""Paths that are named, of each kind of change; their number is told in any case."""


async def changes_since(store: Store, work: Built) -> Mapping[str, Any] | None:
    """None if the build is compared with none, or that one is not stored any more."""
    if work.given.regenerates is None:
        return None
    checkpoints = await store.checkpoints(work.given.regenerates)
    if RENDERED not in checkpoints:
        return None
    before = await anyio.to_thread.run_sync(files_of, checkpoints)
    return {"since": work.given.regenerates, **compared(before, work.files)}


def files_of(checkpoints: Checkpoints) -> Mapping[str, str]:
    """Of a build whose templates are rendered."""
    rendered = RenderedProject.model_validate_json(checkpoints[RENDERED])
    stored = checkpoints.get(HOLES)
    return filled_files(rendered, HoleOutcomes.model_validate_json(stored).holes if stored else ())


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> Mapping[str, Any]:
    """Numbers and paths of the files that were added, changed and removed."""
    found = {
        "added": sorted(after.keys() - before.keys()),
        "changed": sorted(path for path in after.keys() & before.keys() if after[path] != before[path]),
        "removed": sorted(before.keys() - after.keys()),
    }
    return {
        **{name: len(paths) for name, paths in found.items()},
        **{f"{name}_paths": paths[:MAX_PATHS] for name, paths in found.items()},
    }
