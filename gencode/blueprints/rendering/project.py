"""Renders a project: the context of a blueprint through the template sets of its stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gencode.blueprints.findings import Finding, is_valid
from gencode.blueprints.model import Blueprint
from gencode.blueprints.rendering.context import project_context
from gencode.blueprints.rendering.template_set import official_set
from gencode.blueprints.stack import Stack
from gencode.blueprints.validation import validate
from gencode.domain.path_rules import check_path

_HOLE = re.compile(
    r"^(?P<indent>[ \t]*)# hole: (?P<name>[a-z_]+/[a-z0-9_]+)\n(?P<body>.*?)^[ \t]*# end of hole\n",
    re.M | re.S,
)


class InvalidBlueprint(ValueError):
    """The blueprint has errors: it is not rendered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hole:
    """A part of a file that a model may write; `body` is what stands there until then.

    name   such as `flow/ship_order`
    start, end  of the body, characters of the file
    """

    name: str
    path: str
    indent: str
    body: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """files     texts by path, sorted
    findings  of the validator: warnings
    """

    files: Mapping[str, str]
    findings: Sequence[Finding]

    @property
    def holes(self) -> list[Hole]:
        return [hole for path, text in self.files.items() for hole in _holes(path, text)]


def render_project(blueprint: Blueprint, stack: Stack, predecessors: Sequence[Blueprint] = ()) -> Project:
    """`predecessors`: the versions before, the oldest first: the initial migration makes the tables of the
    first one, and a revision follows for each step.

    Raises InvalidBlueprint, UnsafePath.
    """
    findings = validate(blueprint)
    if not (is_valid(findings) and all(is_valid(validate(one)) for one in predecessors)):
        raise InvalidBlueprint("a blueprint with errors is not rendered")
    context = template_context(blueprint, stack, predecessors)
    files: dict[str, str] = {}
    for name in stack.template_sets:
        for path, text in official_set(name).render(context):
            check_path(path, workflows=False)
            if path in files:
                raise InvalidBlueprint(f"two templates write {path}")
            files[path] = text
    files |= _revisions(blueprint, stack, predecessors)
    return Project(files=dict(sorted(files.items())), findings=findings)


def template_context(
    blueprint: Blueprint, stack: Stack, predecessors: Sequence[Blueprint] = ()
) -> dict[str, Any]:
    """What every template set sees. All blueprints must be valid."""
    context = project_context(blueprint, stack)
    first = project_context(predecessors[0], stack) if predecessors else context
    return {**context, "initial": {name: first[name] for name in ("tables", "join_tables")}}


def _revisions(blueprint: Blueprint, stack: Stack, predecessors: Sequence[Blueprint]) -> Mapping[str, str]:
    if not predecessors:
        return {}
    from gencode.blueprints.migrations import revisions_of  # noqa: PLC0415 - it renders with this package

    revisions = revisions_of(blueprint, stack, predecessors)
    return {f"backend/migrations/versions/{name}": text for name, text in revisions.items()}


def _holes(path: str, text: str) -> Iterator[Hole]:
    for match in _HOLE.finditer(text):
        yield Hole(
            name=match["name"],
            path=path,
            indent=match["indent"],
            body=match["body"],
            start=match.start("body"),
            end=match.end("body"),
        )
