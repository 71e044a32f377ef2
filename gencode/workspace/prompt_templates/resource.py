"""The resource of prompt templates: table, models, rules."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy import JSON, CheckConstraint, ColumnElement, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel
from gencode.workspace.prompt_templates.placeholders import variables_of
from gencode.workspace.resources.declaration import OwnedRow, Resource
from gencode.workspace.resources.models import PRINTABLE, TEXT_WITHOUT_NUL, unchanged
from gencode.workspace.tables import NOT_DELETED

MAX_CONTENT = 100_000


class PromptCategory(StrEnum):
    REQUIREMENT = "requirement"
    CODE_REVIEW = "code_review"
    TEST_CASE = "test_case"
    GENERAL = "general"


class PromptTemplate(OwnedRow):
    """`variables` follow from the content."""

    __tablename__ = "prompt_templates"

    identifier: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(String(1000))
    category: Mapped[str] = mapped_column(String(20), index=True)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_public: Mapped[bool] = mapped_column(default=False)
    usage_count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        CheckConstraint(
            "category IN ('requirement', 'code_review', 'test_case', 'general')", name="category"
        ),
        Index(
            "uq_prompt_templates_identifier",
            "owner",
            "identifier",
            unique=True,
            sqlite_where=NOT_DELETED,
            postgresql_where=NOT_DELETED,
        ),
    )


Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
Identifier = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$", max_length=100),
    Field(description="Unique among one's own templates, such as review-python"),
]
Content = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_CONTENT, pattern=TEXT_WITHOUT_NUL),
    Field(description="With placeholders such as {{ language }}"),
]
Description = Annotated[str, StringConstraints(max_length=1000, pattern=TEXT_WITHOUT_NUL)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=PRINTABLE)]
Tags = Annotated[list[Tag], Field(max_length=20)]


class PromptTemplateCreation(RequestModel):
    name: Name
    identifier: Identifier
    content: Content
    description: Description | None = None
    category: PromptCategory = Field(PromptCategory.GENERAL, strict=False)
    tags: Tags = Field(default_factory=list)
    is_public: bool = False


class PromptTemplateChange(RequestModel):
    """Fields that are not given stay as they are."""

    name: Name = unchanged("")
    identifier: Identifier = unchanged("")
    content: Content = unchanged("")
    description: Description | None = unchanged(None)
    category: PromptCategory = unchanged(PromptCategory.GENERAL, is_enum=True)
    tags: Tags = unchanged([])
    is_public: bool = unchanged(False)


class PromptTemplateView(ResponseModel):
    """`variables`: the names of its placeholders. `usage_count`: how often it was rendered."""

    id: str
    owner: str
    name: str
    identifier: str
    content: str
    description: str | None
    category: PromptCategory
    tags: list[str]
    variables: list[str]
    is_public: bool
    usage_count: int
    created_at: Moment
    updated_at: Moment


def view_of(row: PromptTemplate) -> PromptTemplateView:
    columns: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            *("id", "owner", "name", "identifier", "content", "description", "tags"),
            *("is_public", "usage_count"),
        )
    }
    return PromptTemplateView(
        **columns,
        category=PromptCategory(row.category),
        variables=variables_of(row.content),
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


def _is_public() -> ColumnElement[bool]:
    return PromptTemplate.is_public.is_(True)


PROMPT_TEMPLATES: Resource[PromptTemplate, PromptTemplateView] = Resource(
    name="PromptTemplate",
    title="prompt template",
    path="/prompts",
    table=PromptTemplate,
    creation=PromptTemplateCreation,
    change=PromptTemplateChange,
    view_model=PromptTemplateView,
    view=view_of,
    taken={"uq_prompt_templates_identifier": "identifier"},
    filters=("category", "identifier"),
    is_shared=_is_public,
)
