"""Proves template sets: renders each for the corpus, and parses what comes out by its language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from itertools import islice
from types import TracebackType
from typing import Any

import anyio.to_thread

from gencode.blueprints import Blueprint
from gencode.blueprints.stack import Database, Stack
from gencode.blueprints.template_sets import RenderedSet, RendererFailed, SetContent, TemplateRenderer
from gencode.blueprints.template_sets.proof_corpus import proof_corpus
from gencode.codegen.errors import CheckFailed
from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.validation.findings import Rule
from gencode.domain.phrase import Phrase
from gencode.http.per_client_semaphore import PerClientSemaphore
from gencode.workspace.errors import TemplateCheckFailed, TemplateFailed
from gencode.workspace.templates.models import FindingView

MAX_FINDINGS = 50
DATABASES = ("postgresql", "mysql")
_NO_PLAN = Plan(files=(PlannedFile(path="README.md", purpose=""),))
"""Nothing is expected of single files."""


class TemplateProofs:
    """Used as an async context manager, at whose end its processes end. Each principal has one set rendered
    at a time."""

    def __init__(self) -> None:
        self._renderer = TemplateRenderer()
        self._checker = ProjectChecker()
        self._one_at_a_time = PerClientSemaphore(1)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> TemplateProofs:
        await self._stack.enter_async_context(self._renderer)
        await self._stack.enter_async_context(self._checker)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def prove(self, content: SetContent, principal: str) -> Sequence[FindingView]:
        """What is wrong with a set; nothing: it is proven. Raises TemplateCheckFailed."""
        cases = [(name, database) for name in proof_corpus() for database in DATABASES]
        async with self._one_at_a_time.hold(principal):
            contexts = await anyio.to_thread.run_sync(_contexts, cases)
            rendered = await self._render(content, contexts)
            if len(rendered) < len(cases):  # a limit ended all of them
                return list(islice(_of_rendering("", rendered[0]), MAX_FINDINGS))
            found: list[FindingView] = []
            for (name, _), project in zip(cases, rendered, strict=True):
                found += (one for one in _of_rendering(name, project) if one not in found)
                if not project.findings:
                    found += [one for one in await self._parsed(name, project.files) if one not in found]
            return found[:MAX_FINDINGS]

    async def apply(
        self,
        content: SetContent,
        blueprint: Blueprint,
        stack: Stack,
        principal: str,
        predecessors: Sequence[Blueprint] = (),
    ) -> Mapping[str, str]:
        """The files of a set for a valid blueprint, whose predecessors are those of `render_project`. Raises
        TemplateFailed, TemplateCheckFailed."""
        async with self._one_at_a_time.hold(principal):
            context = await anyio.to_thread.run_sync(_context, blueprint, stack, predecessors)
            (rendered,) = await self._render(content, [context])
        if rendered.findings:
            raise TemplateFailed(_said(rendered))
        return rendered.files

    async def require_syntax(self, files: Mapping[str, str]) -> None:
        """What a proven set makes of a blueprint that is not in the corpus may not parse. Raises
        TemplateFailed, TemplateCheckFailed."""
        if found := await self._parsed("", files):
            first = found[0]
            raise TemplateFailed(
                Phrase(
                    "what the set makes does not parse: {file} line {line}: {message}",
                    file=first.file,
                    line=first.line,
                    message=first.message,
                )
            )

    async def _render(
        self, content: SetContent, contexts: Sequence[Mapping[str, Any]]
    ) -> Sequence[RenderedSet]:
        try:
            return await self._renderer.render(content, contexts)
        except RendererFailed as error:
            raise TemplateCheckFailed(
                Phrase("the process that renders templates failed ({error}): try again", error=error)
            ) from None

    async def _parsed(self, name: str, files: Mapping[str, str]) -> Sequence[FindingView]:
        try:
            findings = await self._checker.check(files, _NO_PLAN)
        except CheckFailed:
            raise TemplateCheckFailed("the process that checks files failed: try again") from None
        return [
            FindingView(blueprint=name, file=one.path, line=one.line, message=one.message)
            for one in findings
            if one.rule is Rule.SYNTAX
        ]


def _of_rendering(name: str, rendered: RenderedSet) -> Iterator[FindingView]:
    for one in rendered.findings:
        yield FindingView(blueprint=name, file=one.file, line=one.line, message=one.message)


def _said(rendered: RenderedSet) -> str:
    first, *others = rendered.findings
    where = Phrase("{file} line {line}", file=first.file, line=first.line) if first.line else first.file
    more = Phrase(" (and {count} more)", count=len(others)) if others else ""
    return Phrase("{where}: {message}{more}", where=where, message=first.message, more=more)


def _contexts(cases: Sequence[tuple[str, str]]) -> Sequence[Mapping[str, Any]]:
    return [_context(proof_corpus()[name], stack_of(database)) for name, database in cases]


def stack_of(database: str) -> Stack:
    return Stack(database=Database(database))


def _context(blueprint: Blueprint, stack: Stack, predecessors: Sequence[Blueprint] = ()) -> Mapping[str, Any]:
    rendering: Any = import_module("gencode.blueprints.rendering")  # with the template engine
    found: Mapping[str, Any] = rendering.template_context(blueprint, stack, predecessors)
    return found
