"""Renders template sets of others in limited children."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from gencode.blueprints.template_sets.content import MANIFEST, SetContent
from gencode.domain.errors import TreeError
from gencode.domain.tree import MAX_RENDERED_FILES, PathSet
from gencode.limited_child.pool import ChildPool
from gencode.limited_child.process import Cause, ChildFailed
from gencode.limited_child.protocol import ChildRequest

log = structlog.get_logger(__name__)

CHILD_PROGRAM = "gencode.blueprints.template_sets.child_main"
MAX_CHARACTERS = 10_000_000
"""Of all projects of one call; the answer of the child must fit its protocol."""
_MESSAGES: Mapping[Cause, str] = {
    Cause.TIME: "it takes too much processor time",
    Cause.MEMORY: "it needs too much memory",
    Cause.CRASH: "the template engine crashed",
    Cause.ERROR: "the template engine failed",
}


class RendererFailed(Exception):
    """The process that renders failed; the set may be good, and another attempt may succeed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateFinding:
    """file     of the set, or of the project that it made
    line     from 1; 0: the file as a whole
    """

    file: str
    line: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedSet:
    """`files`: texts by path, sorted; not to be used if there are findings."""

    files: Mapping[str, str]
    findings: Sequence[TemplateFinding]


class _Project(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    files: list[tuple[str, str]]
    errors: list[tuple[str, int, str]]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    projects: list[_Project] = []
    too_large: str = ""


class TemplateRenderer:
    """Used as an async context manager, at whose end its processes end. Each call has a process of its own,
    so that no set can affect another one."""

    def __init__(self) -> None:
        self._pool = ChildPool(CHILD_PROGRAM, reused=False)

    async def __aenter__(self) -> TemplateRenderer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.stop()

    async def render(
        self, content: SetContent, contexts: Sequence[Mapping[str, Any]]
    ) -> Sequence[RenderedSet]:
        """The files for each context, see `rendering.context`; one that is only findings if the set exceeds a
        limit. Raises RendererFailed."""
        files = [(file.path, file.template, file.each) for file in content.manifest.files]
        limits = {"max_files": MAX_RENDERED_FILES, "max_characters": MAX_CHARACTERS}
        arguments = {"files": files, "contexts": contexts, **limits}
        request = ChildRequest(function="render", texts=content.sources, arguments=arguments)
        try:
            async with self._pool.lend(request.size) as child:
                answer = _checked(await child.call(request), len(contexts))
        except ChildFailed as failure:
            return [_failed(failure)]
        if answer.too_large:
            return [_only(TemplateFinding(file=MANIFEST, line=0, message=answer.too_large))]
        return [_rendered(content, project) for project in answer.projects]


def _checked(answer: Any, projects: int) -> _Answer:
    """Raises ChildFailed."""
    try:
        checked = _Answer.model_validate(answer)
    except ValidationError:
        raise ChildFailed("its answer is malformed") from None
    if not checked.too_large and len(checked.projects) != projects:
        raise ChildFailed("its answer is malformed")
    return checked


def _failed(failure: ChildFailed) -> RenderedSet:
    """Raises RendererFailed."""
    log.warning("templates were not rendered", template=failure.at[:200], reason=failure.reason)
    if failure.cause not in _MESSAGES:
        raise RendererFailed(failure.reason)
    return _only(TemplateFinding(file=failure.at or MANIFEST, line=0, message=_MESSAGES[failure.cause]))


def _only(finding: TemplateFinding) -> RenderedSet:
    return RenderedSet(files={}, findings=[finding])


def _rendered(content: SetContent, project: _Project) -> RenderedSet:
    findings = [_finding(*error) for error in project.errors]
    copies = [(copy.path, content.sources[copy.source]) for copy in content.manifest.copies]
    files: dict[str, str] = {}
    tree = PathSet(most=MAX_RENDERED_FILES)
    for path, text in (*copies, *project.files):
        findings += (_finding(path, 0, fault) for fault in _faults(path, files, tree))
        files[path] = text
    if not files and not findings:
        findings.append(TemplateFinding(file=MANIFEST, line=0, message="the set makes no file"))
    return RenderedSet(files=dict(sorted(files.items())), findings=findings)


def _finding(file: str, line: int, message: str) -> TemplateFinding:
    """Its texts come from templates: they are cut, and can be stored and shown."""
    return TemplateFinding(file=_printable(file[:300]), line=line, message=_printable(message[:500]))


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def _faults(path: str, files: Mapping[str, str], tree: PathSet) -> Iterator[str]:
    if path in files:
        yield "two templates write this file"
    try:
        tree.add(path)
    except TreeError as error:
        yield error.message
