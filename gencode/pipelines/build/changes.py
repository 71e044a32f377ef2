"""What a build changes in comparison with an earlier one: files, the database, what models have written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import anyio.to_thread

from gencode.blueprints import Blueprint
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import Store
from gencode.pipelines.build.artifacts import Built, HoleOutcome, HoleOutcomes, RenderedProject, filled_files
from gencode.pipelines.build.names import HOLES, RENDERED
from gencode.workspace.blueprints.impact import migration_steps

MAX_PATHS = 200
"""Paths that are named, of each kind of change; their number is told in any case."""
MAX_STEPS = 100
"""Of the migration that are told; so is their number."""
_REVISIONS = "backend/migrations/versions/"


async def changes_since(store: Store, work: Built) -> Mapping[str, Any] | None:
    """None if the build is compared with none, or that one is not stored any more."""
    if work.given.regenerates is None:
        return None
    checkpoints = await store.checkpoints(work.given.regenerates)
    if RENDERED not in checkpoints:
        return None
    blueprint = (await store.request(work.given.regenerates))["blueprint"]
    return await anyio.to_thread.run_sync(_changes, work, checkpoints, blueprint)


def _changes(work: Built, checkpoints: Checkpoints, blueprint: Mapping[str, Any]) -> Mapping[str, Any]:
    before = files_of(checkpoints)
    return {
        "since": work.given.regenerates,
        **compared(before, work.files),
        "migration": _migration(work, before, blueprint),
        "holes_lost": holes_lost(_outcomes(checkpoints), work.holes)[:MAX_PATHS],
    }


def files_of(checkpoints: Checkpoints) -> Mapping[str, str]:
    """Of a build whose templates are rendered."""
    rendered = RenderedProject.model_validate_json(checkpoints[RENDERED])
    return filled_files(rendered, _outcomes(checkpoints))


def _outcomes(checkpoints: Checkpoints) -> tuple[HoleOutcome, ...]:
    stored = checkpoints.get(HOLES)
    return HoleOutcomes.model_validate_json(stored).holes if stored else ()


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


def holes_lost(before: Iterable[HoleOutcome], after: Iterable[HoleOutcome]) -> list[str]:
    """Names of the holes that had a body, and have none or do not exist any more."""
    written = {one.name for one in after if one.source != "default"}
    return [one.name for one in before if one.source != "default" and one.name not in written]


def _migration(work: Built, before: Mapping[str, str], blueprint: Mapping[str, Any]) -> Mapping[str, Any]:
    """From the tables of the earlier build to those of this one.

    has_revision  whether the project has a revision for it: the earlier build was of a published version
    """
    old, new = Blueprint.model_validate(blueprint), Blueprint.model_validate(work.given.blueprint)
    made = migration_steps(old, new, work.given.stack["database"], work.given.language)
    steps = made.operations if made else []
    return {
        "destructive": any(one.destructive for one in steps),
        "step_count": len(steps),
        "steps": [one.model_dump(include={"text", "destructive", "reason"}) for one in steps[:MAX_STEPS]],
        "has_revision": any(path.startswith(_REVISIONS) for path in work.files.keys() - before.keys()),
    }
