"""The bodies and views of template sets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, StringConstraints

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.blueprints.examination import RenderedFile
from gencode.workspace.resources.models import PRINTABLE, TEXT_WITHOUT_NUL, RowId, unchanged
from gencode.workspace.templates.table import ProofStatus, TemplateSetRow

MAX_SOURCE = 2**20

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
Word = Annotated[
    str,
    StringConstraints(max_length=50, pattern=r"^[A-Za-z0-9._ -]*$"),
    Field(description="Such as fastapi, backend; lists can be restricted to it"),
]
Description = Annotated[str, StringConstraints(max_length=2000, pattern=TEXT_WITHOUT_NUL)]
Tags = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=PRINTABLE)]],
    Field(max_length=20),
]
Source = Annotated[str, StringConstraints(max_length=MAX_SOURCE)]
Sources = Annotated[dict[str, Source], Field(max_length=600)]
_MANIFEST = Field(description="As `manifest.json` of an archive: name, version, files, copies")


class TemplateCreation(RequestModel):
    """`files`: texts by name. `project_id`: null is a set of one's own."""

    name: Name
    manifest: Annotated[dict[str, Any], _MANIFEST]
    files: Sources
    project_id: RowId | None = None
    framework: Word = ""
    category: Word = ""
    description: Description = ""
    tags: Tags = Field(default_factory=list)


class TemplateChange(RequestModel):
    """Fields that are not given stay as they are. The content of a version is never changed."""

    name: Name = unchanged("")
    framework: Word = unchanged("")
    category: Word = unchanged("")
    description: Description = unchanged("")
    tags: Tags = unchanged([])
    is_public: bool = unchanged(False)


class UploadFields(RequestModel):
    """`name`: default that of the manifest. `project_id`: none is a set of one's own."""

    name: Name | None = None
    project_id: RowId | None = None
    framework: Word = ""
    category: Word = ""
    description: Description = ""


class NoFields(RequestModel):
    """A form with a file only."""


class ApplyRequest(RequestModel):
    blueprint_id: RowId
    database: Literal["postgresql", "mysql"] = "postgresql"


class FindingView(ResponseModel):
    """blueprint  of the corpus; "" for a finding of the set itself
    file       of the set, or of what it made
    line       from 1; 0: the file as a whole
    """

    blueprint: str = ""
    file: str
    line: int
    message: str


class TemplateItem(ResponseModel):
    """`code`, `version_tag`: name and version of the manifest. `files`, `bytes`: of its sources."""

    id: str
    owner: str | None = Field(description="null for a set of the service")
    project_id: str | None
    is_official: bool
    name: str
    code: str
    version_tag: str
    framework: str
    category: str
    description: str
    tags: list[str]
    status: ProofStatus
    is_public: bool
    sha256: str
    files: int
    bytes: int
    previous_id: str | None
    created_at: Moment | None
    updated_at: Moment | None


class TemplateView(TemplateItem):
    """`findings`: of the last proof; its content is the archive."""

    manifest: Annotated[dict[str, JsonValue], _MANIFEST]
    findings: list[FindingView]


class TemplatePage(ResponseModel):
    """`official`: sets of the service, on every page."""

    official: list[TemplateItem]
    items: list[TemplateItem]
    next_cursor: str | None


class TemplateVersions(ResponseModel):
    versions: list[TemplateItem]


class AppliedTemplate(ResponseModel):
    """What `GET .../project.zip` packs."""

    template_sha256: str
    files: list[RenderedFile]


_COLUMNS = (
    *("id", "owner", "project_id", "name", "code", "version_tag", "framework", "category", "description"),
    *("tags", "is_public", "sha256", "files", "bytes", "previous_id"),
)


def item_of(row: TemplateSetRow) -> TemplateItem:
    return TemplateItem(**_values(row))


def view_of(row: TemplateSetRow) -> TemplateView:
    findings = [FindingView.model_validate(one) for one in row.findings]
    return TemplateView(**_values(row), manifest=row.content["manifest"], findings=findings)


def _values(row: TemplateSetRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _COLUMNS},
        "is_official": False,
        "status": ProofStatus(row.status),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }
