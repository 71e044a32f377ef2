"""Template sets: a folder with a manifest and Jinja2 files.

    {"name": "fastapi", "version": "1.0.0", "files": [
        {"path": "app/models/[[ entity.module ]].py", "template": "model.py.j2", "for": "entity"}, ...],
     "copies": [{"path": "requirements.lock", "source": "requirements.lock"}]}

`copies` are written as they are. `for` says how often a file is made: once (`project`), or for each `entity`,
`page` or `flow`; it sees the project's context and the one element. What is rendered as nothing is no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal

from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field

from gencode.blueprints.rendering.environment import template_environment

_LISTS = {"entity": "entities", "page": "pages", "flow": "flows"}


class TemplateFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    path: Annotated[str, Field(max_length=300)]
    template: Annotated[str, Field(max_length=200)]
    each: Literal["project", "entity", "page", "flow"] = Field(default="project", alias="for")


class CopiedFile(BaseModel):
    """A file of the set that every project has, such as a lock file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(max_length=300)]
    source: Annotated[str, Field(max_length=200)]


class Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
    version: Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    files: Annotated[list[TemplateFile], Field(max_length=500)]
    copies: Annotated[list[CopiedFile], Field(max_length=100)] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class TemplateSet:
    """`sources`: by name, Jinja2 templates and the files that are copied."""

    manifest: Manifest
    sources: Mapping[str, str]

    @cached_property
    def _environment(self) -> SandboxedEnvironment:
        """Kept: compiling the templates takes longer than rendering them."""
        return template_environment(self.sources)

    def render_template(self, name: str, context: Mapping[str, Any]) -> str:
        """One of the sources. Raises jinja2.TemplateError."""
        return self._environment.get_template(name).render(context)

    def render(self, context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Paths and texts. Raises jinja2.TemplateError, and KeyError where a copy is missing."""
        yield from ((entry.path, self.sources[entry.source]) for entry in self.manifest.copies)
        for entry in self.manifest.files:
            path = self._environment.from_string(entry.path)
            template = self._environment.get_template(entry.template)
            for values in _each(entry.each, context):
                text = template.render(values)
                if text.strip():
                    yield path.render(values), text


def _each(each: str, context: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if each == "project":
        yield context
        return
    for element in context[_LISTS[each]]:
        yield {**context, each: element}


@lru_cache(maxsize=8)
def official_set(name: str) -> TemplateSet:
    """A set of the distribution."""
    folder = files("gencode.blueprints") / "templates" / name
    manifest = Manifest.model_validate(json.loads((folder / "manifest.json").read_text("utf-8")))
    return TemplateSet(manifest=manifest, sources=dict(_sources(folder, "")))


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name != "manifest.json":
            yield f"{prefix}{entry.name}", entry.read_text("utf-8")
