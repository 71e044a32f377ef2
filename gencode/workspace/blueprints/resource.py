"""The resource of blueprints: bodies, view, and what is computed from the document when it is stored."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from pydantic import Field, StringConstraints
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.blueprints import Blueprint, Severity, normalised, validate
from gencode.blueprints.comparison.compare import document
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.errors import BlueprintPublished
from gencode.workspace.projects.access import IN_PROJECT
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, RowId, unchanged

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
VersionTag = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=50),
    Field(description="Such as 1.0.0; unique in the project"),
]


class BlueprintInProject(RequestModel):
    """A draft: a document with errors can be stored, but not published."""

    name: Name
    version_tag: VersionTag = "0.1.0"
    spec: Blueprint = Field(default_factory=Blueprint)


class BlueprintCreation(BlueprintInProject):
    """`project_id`: null is a blueprint of one's own."""

    project_id: RowId | None = None


class BlueprintChange(RequestModel):
    """Fields that are not given stay as they are. Of a published version only the name can be changed."""

    name: Name = unchanged("")
    version_tag: VersionTag = unchanged("")
    spec: Blueprint = unchanged(None)


class NewVersion(RequestModel):
    version_tag: VersionTag


class BlueprintItem(ResponseModel):
    """`errors`, `warnings`: findings of the validator; one with errors cannot be published or built."""

    id: str
    owner: str
    project_id: str | None
    name: str
    version_tag: str
    is_draft: bool
    parent_id: str | None
    entities: int
    errors: int
    warnings: int
    created_at: Moment
    updated_at: Moment


class BlueprintView(BlueprintItem):
    spec: Blueprint


class BlueprintHistory(ResponseModel):
    versions: list[BlueprintItem]


_COLUMNS = ("id", "owner", "project_id", "name", "version_tag", "is_draft", "parent_id")
_COUNTS = ("entities", "errors", "warnings")


def item_of(row: BlueprintRow) -> BlueprintItem:
    return BlueprintItem(**_values(row))


def view_of(row: BlueprintRow) -> BlueprintView:
    return BlueprintView(**_values(row), spec=blueprint_of(row))


def _values(row: BlueprintRow) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(row, name) for name in (*_COLUMNS, *_COUNTS)}
    return {**values, "created_at": rfc3339(row.created_at), "updated_at": rfc3339(row.updated_at)}


def blueprint_of(row: BlueprintRow) -> Blueprint:
    return Blueprint.model_validate(row.spec)


async def _complete(_session: AsyncSession, row: BlueprintRow) -> None:
    """Raises BlueprintPublished."""
    state = inspect(row)
    changed = {name for name in ("spec", "version_tag") if state.attrs[name].history.has_changes()}
    if state.persistent and not row.is_draft and changed and not state.attrs.is_draft.history.has_changes():
        raise BlueprintPublished("a published version is not changed: make a new one from it")
    if "spec" in changed:
        found = await anyio.to_thread.run_sync(_examined, row.spec)
        row.spec, row.entities, row.errors, row.warnings = found


def _examined(spec: dict[str, Any]) -> tuple[dict[str, Any], int, int, int]:
    blueprint = normalised(Blueprint.model_validate(spec))
    findings = validate(blueprint)
    warnings = sum(1 for finding in findings if finding.severity is Severity.WARNING)
    return document(blueprint), len(blueprint.data_models), len(findings) - warnings, warnings


BLUEPRINTS = Resource(
    name="Blueprint",
    title="blueprint",
    path="/blueprints",
    table=BlueprintRow,
    creation=BlueprintCreation,
    change=BlueprintChange,
    view_model=BlueprintView,
    view=view_of,
    item_model=BlueprintItem,
    item=item_of,
    taken={"uq_blueprints_project_version": "version_tag"},
    filters=("project_id", "parent_id"),
    before_flush=_complete,
    access=IN_PROJECT,
    errors=(BlueprintPublished,),
    long_columns=("spec",),
)
