"""The template language: Jinja2 without access to Python's objects, and filters that make literals."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import BaseLoader, DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gencode.blueprints import identifiers
from gencode.blueprints.rendering import literals


def template_environment(sources: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """`sources`: templates by name. `{% %}` on a line of its own leaves no line; unknown names are errors."""
    loader: BaseLoader = DictLoader(dict(sources))
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the files are code: the filters make literals
        variable_start_string="[[",
        variable_end_string="]]",
    )
    environment.filters.update(
        py=literals.python,
        ts=literals.typescript,
        sql=literals.sql,
        line=literals.line,
        doc=literals.docstring,
        md=literals.markdown,
        snake=identifiers.snake,
        pascal=identifiers.pascal,
        kebab=identifiers.kebab,
        camel=identifiers.camel,
    )
    del environment.filters["random"], environment.globals["lipsum"]  # the same input gives the same files
    return environment
