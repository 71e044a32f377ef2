"""Renders a template set for one context after the other; runs in the limited child."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from jinja2 import FunctionLoader, Template, TemplateSyntaxError

from gencode.blueprints.rendering.environment import template_environment
from gencode.blueprints.rendering.template_set import values_for
from gencode.blueprints.template_sets.content import MANIFEST

MAX_ERRORS = 20
"""Of one context."""
_MAX_MESSAGE = 300


class OutputTooLarge(Exception):
    """All contexts together are rendered as more text than allowed."""


class SetRendering:
    """
    sources         by name
    files           the entries of the manifest: path, template, for
    max_characters  of all files of all contexts; `max_files`: of one context
    progress        called with the index of a template before it is rendered
    """

    def __init__(
        self,
        sources: Mapping[str, str],
        files: Sequence[Sequence[str]],
        max_files: int,
        max_characters: int,
        progress: Callable[[int], None],
    ) -> None:
        self._sources = sources
        self._files = files
        self._max_files = max_files
        self._left = max_characters
        self._progress = progress
        self._steps = {name: index for index, name in enumerate(sources)}
        self._paths: dict[str, Template] = {}
        self._environment = template_environment({})
        self._environment.loader = FunctionLoader(self._load)

    def project(self, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """`files`: pairs of path and text; `errors`: template, line (0: none), message. Raises MemoryError,
        TimeoutError, OutputTooLarge."""
        rendered: list[tuple[str, str]] = []
        errors: list[tuple[str, int, str]] = []
        for path, template, each in self._files:
            self._progress(self._steps[template])
            try:
                for file in self._rendered(path, template, values_for(each, context)):
                    rendered.append(file)
                    self._check_count(rendered)
            except (MemoryError, OutputTooLarge):
                raise
            except Exception as error:  # of any kind: what a template calls may raise what it likes
                errors.append(self._error(error))
            if len(errors) >= MAX_ERRORS:
                break
        return {"files": rendered, "errors": errors}

    def _load(self, name: str) -> tuple[str, str, None] | None:
        """With its name as the file's, so that tracebacks tell where an error is."""
        return (self._sources[name], name, None) if name in self._sources else None

    def _rendered(
        self, path: str, template: str, contexts: Iterator[Mapping[str, Any]]
    ) -> Iterator[tuple[str, str]]:
        compiled = self._environment.get_template(template)
        for values in contexts:
            text = self._text(compiled, values)
            if text.strip():
                yield self._text(self._path(path), values), text

    def _path(self, path: str) -> Template:
        if path not in self._paths:
            self._paths[path] = self._environment.from_string(path)
        return self._paths[path]

    def _text(self, template: Template, values: Mapping[str, Any]) -> str:
        pieces = []
        for piece in template.generate(values):
            self._left -= len(piece)
            if self._left < 0:
                raise OutputTooLarge("the set is rendered as too much text")
            pieces.append(piece)
        return "".join(pieces)

    def _check_count(self, rendered: Sequence[object]) -> None:
        if len(rendered) > self._max_files:
            raise OutputTooLarge(f"the set makes more than {self._max_files} files")

    def _error(self, error: Exception) -> tuple[str, int, str]:
        name, line = self._place(error)
        return name, line, f"{type(error).__name__}: {error}"[:_MAX_MESSAGE]

    def _place(self, error: Exception) -> tuple[str, int]:
        """Template and line; the manifest for a fault of a path."""
        if isinstance(error, TemplateSyntaxError):
            return error.name or MANIFEST, error.lineno if error.name else 0
        places = [place for place in _places(error.__traceback__) if place[0] in self._sources]
        return places[-1] if places else (MANIFEST, 0)


def _places(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    while trace:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
