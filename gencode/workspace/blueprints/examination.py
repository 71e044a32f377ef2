"""What operations tell of a document: findings, the files of its project, differences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pydantic import Field, JsonValue

from gencode.blueprints import Blueprint, Finding, Severity, is_valid, normalised, repaired, validate
from gencode.blueprints.comparison import ChangeType, compare, describe, json_patch
from gencode.blueprints.comparison.compare import PropertyChange
from gencode.blueprints.template_sets import write_archive
from gencode.domain.phrase import Phrase
from gencode.http.base_models import RequestModel, ResponseModel
from gencode.workspace.blueprints.impact import (
    Impact,
    MigrationSteps,
    Version,
    impact_of,
    migration_steps,
    rendered,
)
from gencode.workspace.errors import BlueprintInvalid


class FindingView(ResponseModel):
    """`element`: by ids, such as `dataModels/Order/fields/total`. `fix`: what would mend it, if known."""

    element: str
    rule: str
    severity: Severity
    message: str
    fix: dict[str, JsonValue] | None


class BlueprintDocument(RequestModel):
    spec: Blueprint


class ExaminedBlueprint(ResponseModel):
    """`repaired`: the document with the fixes of all errors that have one; null if it has no errors."""

    is_valid: bool
    findings: list[FindingView]
    repaired: Blueprint | None


class RenderedFile(ResponseModel):
    """`bytes` in UTF-8."""

    path: str
    bytes: int
    sha256: str


class RenderedHole(ResponseModel):
    """A part of a file that a model may write; until then it answers that it is not written."""

    name: str
    path: str


class Preview(ResponseModel):
    """What a build would write. It is `verified` by a build only.

    impact  what that changes in the project of the version `from`; null without one
    """

    files: list[RenderedFile]
    holes: list[RenderedHole]
    findings: list[FindingView]
    impact: Impact | None


class DifferenceView(ResponseModel):
    type: ChangeType
    element: str
    text: str = Field(description="In the language of the request")
    changes: dict[str, PropertyChange]


class Comparison(ResponseModel):
    """`patch`: a JSON Patch (RFC 6902) that makes the newer document of the older one. `migration`: what is
    done to the tables; null where one of the versions has errors, as a new draft has."""

    operations: list[DifferenceView]
    patch: list[dict[str, JsonValue]]
    migration: MigrationSteps | None


def finding_views(findings: Sequence[Finding], language: str) -> list[FindingView]:
    return [FindingView.model_validate(dict(one.shown(language))) for one in findings]


def examine(blueprint: Blueprint, language: str) -> ExaminedBlueprint:
    findings = validate(normalised(blueprint))
    valid = is_valid(findings)
    return ExaminedBlueprint(
        is_valid=valid,
        findings=finding_views(findings, language),
        repaired=None if valid else repaired(blueprint)[0],
    )


def compared(old: Blueprint, new: Blueprint, database: str, language: str) -> Comparison:
    operations = [
        DifferenceView(type=one.type, element=one.element, text=describe(one, language), changes=one.changes)
        for one in compare(old, new)
    ]
    return Comparison(
        operations=operations,
        patch=json_patch(old, new),
        migration=migration_steps(old, new, database, language),
    )


def preview_of(version: Version, older: Version | None, stack: Mapping[str, str], language: str) -> Preview:
    """With `older`, what changes in its project. Raises BlueprintInvalid."""
    findings = require_valid(version.blueprint)
    impact = None
    if older is None:
        project = rendered(version, stack)
    else:
        require_valid(older.blueprint)
        project, impact = impact_of(older, version, stack, language)
    return Preview(
        files=file_views(project.files),
        holes=[RenderedHole(name=hole.name, path=hole.path) for hole in project.holes],
        findings=finding_views(findings, language),
        impact=impact,
    )


def file_views(files: Mapping[str, str]) -> list[RenderedFile]:
    """Hashes every file: call it in a thread."""
    return [
        RenderedFile(path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in ((path, text.encode()) for path, text in files.items())
    ]


def archive_of(version: Version, stack: Mapping[str, str]) -> bytes:
    """A zip of the rendered project: the same documents give the same bytes. Raises BlueprintInvalid."""
    require_valid(version.blueprint)
    return write_archive(rendered(version, stack).files)


def require_valid(blueprint: Blueprint) -> list[Finding]:
    """The findings, which are warnings. Raises BlueprintInvalid."""
    findings = validate(blueprint)
    errors = [one for one in findings if one.severity is Severity.ERROR]
    if errors:
        first = errors[0]
        raise BlueprintInvalid(
            Phrase(
                "{errors} errors, the first at {element}: {message}",
                errors=len(errors),
                element=first.element,
                message=first.message(),
            )
        )
    return findings
