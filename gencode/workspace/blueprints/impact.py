"""What a newer version of a blueprint changes: tables, files, and what people and programs rely on."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal

from pydantic import Field

from gencode.blueprints import Blueprint, is_valid, validate
from gencode.blueprints.comparison import broken
from gencode.blueprints.comparison.impact import Break
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


class Impact(ResponseModel):
    """What a build would change in the project of an older version.

    revision  the file of the migration; empty where the tables stay as they are
    """

    files: list[FileChange]
    migration: MigrationSteps
    revision: str
    breaks: list[BrokenView]


def migration_steps(old: Blueprint, new: Blueprint, database: str, language: str) -> MigrationSteps | None:
    """None where one of the versions has errors."""
    if not (is_valid(validate(old)) and is_valid(validate(new))):
        return None
    return _steps(_migration(old, new, database), language)


def impact_of(
    old: Blueprint, new: Blueprint, stack_names: Mapping[str, str], language: str
) -> tuple[Any, Impact]:
    """The project of the newer version, with a revision for those who have the older one. Both are valid."""
    rendering: Any = import_module("gencode.blueprints.rendering")
    stack = rendering.Stack.model_validate(stack_names)
    before = rendering.render_project(old, stack).files
    project = rendering.render_project(new, stack, (old,))
    added = sorted(project.files.keys() - before.keys())
    revision = next((project.files[path] for path in added if _is_revision(path)), "")
    impact = Impact(
        files=[
            *(FileChange(path=path, change="added") for path in added),
            *(
                FileChange(path=path, change="changed")
                for path, text in project.files.items()
                if path in before and before[path] != text
            ),
            *(
                FileChange(path=path, change="removed")
                for path in sorted(before.keys() - project.files.keys())
            ),
        ],
        migration=_steps(_migration(old, new, stack.database), language),
        revision=revision,
        breaks=[
            BrokenView(type=one.type, element=one.element, text=one.text(language))
            for one in broken(old, new)
        ],
    )
    return project, impact


def _is_revision(path: str) -> bool:
    return path.startswith("backend/migrations/versions/")


def _migration(old: Blueprint, new: Blueprint, database: str) -> Any:
    migrations: Any = import_module("gencode.blueprints.migrations")  # with the template engine
    rendering: Any = import_module("gencode.blueprints.rendering")
    return migrations.migration_between(old, new, rendering.Stack(database=database))


def _steps(migration: Any, language: str) -> MigrationSteps:
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
        for one in migration.upgrade
    ]
    return MigrationSteps(destructive=bool(migration.destructive), operations=steps)
