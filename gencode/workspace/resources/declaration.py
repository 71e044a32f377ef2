"""The declaration of a resource, from which its routes follow.

PROMPT_TEMPLATES = Resource(
    name="PromptTemplate", title="prompt template", path="/prompts", table=PromptTemplate,
    creation=PromptTemplateCreation, change=PromptTemplateChange,
    view_model=PromptTemplateView, view=view_of,
    taken={"uq_prompt_templates_identifier": "identifier"}, filters=("category",),
)
OPERATIONS = operations_of(PROMPT_TEMPLATES)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from gencode.domain.errors import RequestError
from gencode.http.base_models import RequestModel, ResponseModel
from gencode.workspace.plans.rules import PlanRules
from gencode.workspace.resources.access import BY_OWNER, Access
from gencode.workspace.tables import Base, Row, SoftDeleted


class OwnedRow(Row, SoftDeleted, Base):
    """A row of a resource.

    owner    the id of the principal who created it
    name     for people
    version  grows by one with each change; its ETag
    """

    __abstract__ = True

    owner: Mapped[str] = mapped_column(String(200), index=True)
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=1)


T = TypeVar("T", bound=OwnedRow)
V = TypeVar("V", bound=ResponseModel)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource(Generic[T, V]):
    """name        in the names of its operations and audit entries
    title       in summaries and messages
    path        of the collection, below the API
    creation    the body of POST; its fields are columns of the table
    change      the body of PATCH, in which each field may be absent
    view        makes the response from a row
    taken       the field whose values are unique, by the name of its index
    filters     columns by which a list can be restricted to one value
    secrets     fields of the bodies that are stored encrypted, in the column NAME_encrypted, and never shown;
                of one that has several by name, these names are in the column NAME_names
    addresses   fields of the bodies with addresses that the service calls, see `addresses`
    secret_scope  columns that say where the secrets are sent: when one changes, the secrets are given again
    before_flush  completes or checks a row that is created or changed, in the transaction; raises
                RequestError
    before_create  checks whether a plan allows another row, in the transaction; raises RequestError
    before_delete  checks or completes a row that is deleted, in the transaction; raises RequestError
    before_view  reads for rows that are shown what `view` needs beside their columns
    access      to whom the rows belong: to their owners, unless it says otherwise
    is_shared   the rows that other principals may read, too
    item_model, item  the model of a row in a list and what makes it, if not those of `view`
    errors      of what writes, besides those of every resource
    long_columns  columns, deferred in the table, that lists do not read
    """

    name: str
    title: str
    path: str
    table: type[T]
    creation: type[RequestModel]
    change: type[RequestModel]
    view_model: type[V]
    view: Callable[[T], V]
    taken: Mapping[str, str] = field(default_factory=dict)
    filters: Sequence[str] = ()
    secrets: Sequence[str] = ()
    addresses: Sequence[str] = ()
    secret_scope: Sequence[str] = ()
    before_flush: Callable[[AsyncSession, T], Awaitable[None]] | None = None
    before_create: Callable[[AsyncSession, T, PlanRules], Awaitable[None]] | None = None
    before_delete: Callable[[AsyncSession, T], Awaitable[None]] | None = None
    before_view: Callable[[AsyncSession, Sequence[T]], Awaitable[None]] | None = None
    access: Access = BY_OWNER
    is_shared: Callable[[], ColumnElement[bool]] | None = None
    item_model: type[ResponseModel] | None = None
    item: Callable[[T], ResponseModel] | None = None
    errors: tuple[type[RequestError], ...] = ()
    long_columns: Sequence[str] = ()

    @property
    def operation_names(self) -> Sequence[str]:
        """In the order list, create, get, change, delete."""
        return (
            f"list{plural(self.name)}",
            *(f"{verb}{self.name}" for verb in ("create", "get", "change", "delete")),
        )


def plural(noun: str) -> str:
    """Of names and titles: "PromptTemplate", "Git repository"."""
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
