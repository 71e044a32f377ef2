"""What a newer version of a blueprint changes: tables, files, and what people and programs rely on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field

from gencode.blueprints import Blueprint, is_valid, validate
from gencode.blueprints.comparison import broken
from gencode.blueprints.comparison.impact import Break
from gencode.blueprints.stack import Database, Stack
from gencode.http.base_models import ResponseModel


class MigrationStep(ResponseModel):
    """`element`: of the blueprint. `reason`: why it is destructive, else empty. `needs_decision`: existing
    rows get a neutral value, as the blueprint says none."""

    type: str
    table: str
    element: str
    text: str = Field(description="In the language of the request")
    destructive: bool
    reason: str
    needs_decision: bool


class MigrationSteps(ResponseModel):
    """In the order in which they are done. `destructive`: whether one of them is."""

    destructive: bool
    operations: list[MigrationStep]


class FileChange(ResponseModel):
    path: str
    change: Literal["added", "changed", "removed"]


class BrokenView(ResponseModel):
    """What callers of the older version, and pages, rely on. `element`: of the older version."""

    type: Break
    element: str
    text: str = Field(description="In the language of the request")


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """`predecessors`: the versions before, the oldest first."""

    blueprint: Blueprint
    predecessors: Sequence[Blueprint] = ()


class Impact(ResponseModel):
    """What a build would change in the project of an older version.

    migration  from version to version, as revisions do it
    revision   the files of the revisions, one after another; empty where the tables stay as they are
    """

    files: list[FileChange]
    migration: MigrationSteps
    revision: str
    breaks: list[BrokenView]


def migration_steps(old: Blueprint, new: Blueprint, database: str, language: str) -> MigrationSteps | None:
    """None where one of the versions has errors."""
    if not (is_valid(validate(old)) and is_valid(validate(new))):
        return None
    return _steps([_migration(old, new, database)], language)


def rendered(version: Version, stack: Mapping[str, str]) -> Any:
    rendering: Any = import_module("gencode.blueprints.rendering")  # with the template engine
    return rendering.render_project(version.blueprint, Stack.model_validate(stack), version.predecessors)


def impact_of(old: Version, new: Version, stack: Mapping[str, str], language: str) -> tuple[Any, Impact]:
    """The project of the newer version, with revisions for those who have the older one. Both are valid."""
    if old.blueprint not in new.predecessors:
        new = Version(blueprint=new.blueprint, predecessors=(*old.predecessors, old.blueprint))
    before, project = rendered(old, stack).files, rendered(new, stack)
    added = sorted(project.files.keys() - before.keys())
    last = max(number for number, one in enumerate(new.predecessors) if one == old.blueprint)
    steps = [*new.predecessors[last:], new.blueprint]
    impact = Impact(
        files=list(_changes(before, project.files)),
        migration=_steps([_migration(*pair, stack["database"]) for pair in pairwise(steps)], language),
        revision="\n\n".join(project.files[path] for path in added if _is_revision(path)),
        breaks=[
            BrokenView(type=one.type, element=one.element, text=one.text(language))
            for one in broken(old.blueprint, new.blueprint)
        ],
    )
    return project, impact


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FileChange]:
    for path in sorted(before.keys() | after.keys()):
        if path not in before:
            yield FileChange(path=path, change="added")
        elif path not in after:
            yield FileChange(path=path, change="removed")
        elif before[path] != after[path]:
            yield FileChange(path=path, change="changed")


def _is_revision(path: str) -> bool:
    return path.startswith("backend/migrations/versions/")


def _migration(old: Blueprint, new: Blueprint, database: str) -> Any:
    migrations: Any = import_module("gencode.blueprints.migrations")  # with the template engine
    return migrations.migration_between(old, new, Stack(database=Database(database)))


def _steps(made: Sequence[Any], language: str) -> MigrationSteps:
    migrations: Any = import_module("gencode.blueprints.migrations")
    steps = [
        MigrationStep(
            type=one.type,
            table=one.table,
            element=one.element,
            text=migrations.described(one, language),
            destructive=one.destructive,
            reason=migrations.reason(one, language),
            needs_decision=one.needs_decision,
        )
        for migration in made
        for one in migration.upgrade
    ]
    return MigrationSteps(destructive=any(step.destructive for step in steps), operations=steps)
