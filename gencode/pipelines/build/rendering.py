"""The stage `rendering`: blueprint and stack become files. Pure: the same input gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import anyio.to_thread

from gencode.blueprints import Blueprint
from gencode.blueprints.stack import Stack
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.port import GitHost
from gencode.pipelines.build.artifacts import Built, Given, RenderedProject
from gencode.pipelines.build.holes.filling import Hole
from gencode.pipelines.build.names import RENDERED
from gencode.workspace.builds.store import BuildStore

MAX_FINDINGS = 100
"""Warnings of the validator that the report has; it has the number of all."""


class Rendering:
    """A repository that could not be created fails the task while it has cost nothing."""

    def __init__(self, builds: BuildStore, host: GitHost) -> None:
        self._builds = builds
        self._host = host

    async def __call__(self, work: Given | Built, emit: Emit) -> Built:
        """Raises HostError, UnsafePath, StoreError."""
        if isinstance(work, Built):
            return work
        await self._builds.add(work.run.task_id, work.blueprint_id, work.run.principal)
        if work.repository:
            await self._host.check(work.repository)
        rendered = await anyio.to_thread.run_sync(render, work.blueprint, work.stack, work.predecessors)
        size = sum(len(text.encode()) for text in rendered.files.values())
        holes = [hole.name for hole in rendered.holes]
        await emit(
            StageUpdate(
                kind="rendered",
                data={"files": len(rendered.files), "bytes": size, "holes": holes},
                checkpoints={RENDERED: rendered.model_dump_json()},
            )
        )
        return Built(given=work, rendered=rendered)


def render(
    spec: Mapping[str, Any], stack: Mapping[str, str], predecessors: Sequence[Mapping[str, Any]] = ()
) -> RenderedProject:
    """`predecessors`: each adds a revision of the database. Takes seconds for hundreds of data models:
    call it in a thread. Raises UnsafePath."""
    rendering: Any = import_module("gencode.blueprints.rendering")  # with the template engine
    blueprint, target = Blueprint.model_validate(spec), Stack.model_validate(stack)
    before = [Blueprint.model_validate(one) for one in predecessors]
    project = rendering.render_project(blueprint, target, before)
    return RenderedProject(
        files=project.files,
        holes=tuple(_hole(hole) for hole in project.holes),
        templates=templates_digest(target),
        findings=tuple(dict(one.shown("en")) for one in project.findings[:MAX_FINDINGS]),
    )


def templates_digest(stack: Stack) -> str:
    """A digest of the templates of a stack."""
    sets: Any = import_module("gencode.blueprints.rendering.template_set")
    digest = hashlib.sha256()
    for name in stack.template_sets:
        found = sets.official_set(name)
        digest.update(found.manifest.model_dump_json().encode())
        for path, text in sorted(found.sources.items()):
            digest.update(f"\0{path}\0{text}".encode())
    return digest.hexdigest()


def _hole(hole: Any) -> Hole:
    return Hole(name=hole.name, path=hole.path, indent=hole.indent, body=hole.body)
