"""The stage `rendering`: blueprint and stack become files. Pure: the same input gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import anyio.to_thread

from gencode.blueprints import Blueprint
from gencode.blueprints.stack import Stack
from gencode.blueprints.template_sets import read_content
from gencode.domain.tree import MAX_RENDERED_FILES, Tree
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.githosts.port import GitHost
from gencode.pipelines.build.artifacts import Built, Given, RenderedProject
from gencode.pipelines.build.holes.filling import Hole, hole_in
from gencode.pipelines.build.names import RENDERED
from gencode.workspace.builds.store import BuildStore
from gencode.workspace.templates.proofs import TemplateProofs

MAX_FINDINGS = 100
"""Warnings of the validator that the report has; it has the number of all."""


class Rendering:
    """A repository that could not be created fails the task while it has cost nothing."""

    def __init__(self, builds: BuildStore, host: GitHost, proofs: TemplateProofs) -> None:
        self._builds = builds
        self._host = host
        self._proofs = proofs

    async def __call__(self, work: Given | Built, emit: Emit) -> Built:
        """Raises HostError, UnsafePath, UnsafeTree, StoreError, TemplateFailed, TemplateCheckFailed."""
        if isinstance(work, Built):
            return work
        await self._builds.add(work.run.task_id, work.blueprint_id, work.run.principal)
        if work.repository:
            await self._host.check(work.repository)
        rendered = await anyio.to_thread.run_sync(render, work.blueprint, work.stack, work.predecessors)
        if work.template_set:
            rendered = await self._with_set(work, rendered, work.template_set)
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

    async def _with_set(
        self, work: Given, rendered: RenderedProject, document: Mapping[str, Any]
    ) -> RenderedProject:
        """What an uploaded set makes is added, or replaces files of the same paths."""
        content = await anyio.to_thread.run_sync(read_content, document["manifest"], document["files"])
        blueprint, *predecessors = map(Blueprint.model_validate, (work.blueprint, *work.predecessors))
        stack = Stack.model_validate(work.stack)
        files = await self._proofs.apply(content, blueprint, stack, work.run.principal, predecessors)
        await self._proofs.require_syntax(files)
        return overlaid(rendered, files, content.sha256)


def overlaid(rendered: RenderedProject, files: Mapping[str, str], sha256: str) -> RenderedProject:
    """A project with the files of a set that has this digest. A hole stays where the set has it, too. Raises
    UnsafeTree."""
    merged = dict(sorted({**rendered.files, **files}.items()))
    Tree.of(dict.fromkeys(merged, b""), most=MAX_RENDERED_FILES)
    found = (hole_in(files[hole.path], hole) if hole.path in files else hole for hole in rendered.holes)
    digest = hashlib.sha256(f"{rendered.templates}\0{sha256}".encode()).hexdigest()
    return rendered.model_copy(
        update={"files": merged, "holes": tuple(filter(None, found)), "templates": digest}
    )


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
