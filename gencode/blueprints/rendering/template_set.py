"""Template sets of the distribution, compiled; see `gencode.blueprints.template_sets.manifest`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment

from gencode.blueprints.rendering.environment import template_environment
from gencode.blueprints.template_sets.manifest import Manifest
from gencode.blueprints.template_sets.official import official_content

_LISTS = {"entity": "entities", "page": "pages", "flow": "flows"}


@dataclass(frozen=True, kw_only=True)
class TemplateSet:
    """`sources`: by name, Jinja2 templates and the files that are copied."""

    manifest: Manifest
    sources: Mapping[str, str]

    @cached_property
    def _environment(self) -> SandboxedEnvironment:
        """Kept: compiling the templates takes longer than rendering them."""
        return template_environment(self.sources)

    @cached_property
    def _paths(self) -> Mapping[str, Template]:
        return {entry.path: self._environment.from_string(entry.path) for entry in self.manifest.files}

    def render_template(self, name: str, context: Mapping[str, Any]) -> str:
        """One of the sources. Raises jinja2.TemplateError."""
        return self._environment.get_template(name).render(context)

    def render(self, context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Paths and texts. Raises jinja2.TemplateError, and KeyError where a copy is missing."""
        yield from ((entry.path, self.sources[entry.source]) for entry in self.manifest.copies)
        for entry in self.manifest.files:
            path = self._paths[entry.path]
            template = self._environment.get_template(entry.template)
            for values in values_for(entry.each, context):
                text = template.render(values)
                if text.strip():
                    yield path.render(values), text


def values_for(each: str, context: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a file of the manifest sees: the context, once or with each element. `each`: its `for`."""
    if each == "project":
        yield context
        return
    for element in context[_LISTS[each]]:
        yield {**context, each: element}


@lru_cache(maxsize=8)
def official_set(name: str) -> TemplateSet:
    """A set of the distribution."""
    content = official_content(name)
    return TemplateSet(manifest=content.manifest, sources=content.sources)
