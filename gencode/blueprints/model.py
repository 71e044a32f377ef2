"""The blueprint: what an application consists of, as it is stored, shown, compared and rendered.

    blueprint = Blueprint.model_validate(spec)          # ValidationError: the form is wrong
    findings = validate(blueprint)                      # what cannot be built, and how to mend it

The JSON names are those of its public document: `dataModels`, `businessFlows`, `onDelete`. Each element has
an `id` that never changes, beside a `name` (an identifier, which may be changed) and a `label` (any
language). An element without an id gets its name as its id, so a document without ids is complete:

    {"dataModels": [{"name": "Order", "fields": [{"name": "total", "type": "decimal"}],
                     "relations": [{"name": "customer", "type": "ManyToOne", "target": "Customer"}]}, ...]}

References (`target`, `entity`, `fields`, ...) are ids. Every text and list has a limit, and the form is
strict.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from gencode.blueprints.types import (
    DEFAULT_LENGTH,
    DEFAULT_PRECISION,
    DEFAULT_SCALE,
    MAX_LENGTH,
    MAX_PRECISION,
    MAX_SCALE,
    SIZED,
    TEXTS,
    Action,
    FieldType,
    HttpMethod,
    OnDelete,
    RelationType,
)

MAX_ENTITIES = 500
MAX_FIELDS = 500
"""Of an entity."""
MAX_PAGES = 1000
MAX_COMPONENTS = 500
"""Of a page, at all depths."""
MAX_DEPTH = 12
"""Of components within components."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/~\\]+$")]
Name = Annotated[str, StringConstraints(max_length=200)]
Label = Annotated[str, StringConstraints(max_length=200)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
Path = Annotated[str, StringConstraints(max_length=500)]
_E = TypeVar("_E", bound=StrEnum)
_Read = Annotated[_E, Field(strict=False)]
"""A word that is read from JSON: bodies of requests are validated strictly."""


class _Value(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,
    )


class Element(_Value):
    """What has an identity.

    id    unique among its siblings, unchanged while the element is renamed
    name  an identifier, whose form the validator checks
    """

    id: Id
    name: Name
    label: Label = ""
    description: Description = ""

    @model_validator(mode="before")
    @classmethod
    def _id_from_name(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value.get("id") and isinstance(value.get("name"), str):
            return {**value, "id": value["name"]}
        return value

    @property
    def shown_name(self) -> str:
        """The label where there is one."""
        return self.label or self.name


class EnumValue(_Value):
    """`name` is what is stored and sent; `label` is what people see."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    label: Label = ""


class EntityField(Element):
    """A column of an entity, without the primary key, which every entity has as `id`.

    length            characters (of a string) or bytes (of a binary)
    precision, scale  digits in all, and digits after the point, of a decimal
    enum_values       of an enum
    default           a JSON value of the field's type
    """

    type: _Read[FieldType]
    length: Annotated[int, Field(ge=1, le=MAX_LENGTH)] | None = None
    precision: Annotated[int, Field(ge=1, le=MAX_PRECISION)] | None = None
    scale: Annotated[int, Field(ge=0, le=MAX_SCALE)] | None = None
    enum_values: Annotated[list[EnumValue], Field(max_length=500)] = Field(default_factory=list)
    default: JsonValue = None
    required: bool = False
    unique: bool = False
    index: bool = False
    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    min_length: Annotated[int, Field(ge=0, le=MAX_LENGTH)] | None = None

    @property
    def column_length(self) -> int | None:
        """What the column has: of a string always, of a binary where it is given, of other types never."""
        if self.type is FieldType.STRING:
            return self.length or DEFAULT_LENGTH
        return self.length if self.type in SIZED else None

    @property
    def least_length(self) -> int | None:
        """Of a text: what is required is not empty, unless it may be by `min_length` or is by default."""
        if self.type not in TEXTS or self.min_length is not None:
            return self.min_length
        return int(self.required and self.default != "")

    @property
    def column_digits(self) -> tuple[int, int]:
        """Precision and scale that the column of a decimal has."""
        precision = self.precision or DEFAULT_PRECISION
        return precision, min(DEFAULT_SCALE, precision) if self.scale is None else self.scale


class Relation(Element):
    """A relation to the entity `target`, which may be the declaring entity itself.

    name          of the attribute at this end
    inverse_name  of the attribute at the other end; "" where that end has none
    required      whether each row of the end that holds the reference has one; not of a ManyToMany
    owner         of a OneToOne: whether this end holds the reference
    join_table    of a ManyToMany; "" lets the engine name it
    """

    type: _Read[RelationType]
    target: Id
    inverse_name: Name = ""
    inverse_label: Label = ""
    required: bool = False
    owner: bool = True
    on_delete: _Read[OnDelete] | None = Field(
        default=None, description="Default: restrict where the relation is required, else setNull"
    )
    join_table: Name = ""


class UniqueConstraint(_Value):
    """`fields`: ids of fields, or of relations whose reference this entity holds; together unique."""

    id: Id
    fields: Annotated[list[Id], Field(min_length=1, max_length=16)]

    @model_validator(mode="before")
    @classmethod
    def _id_from_fields(cls, value: Any) -> Any:
        fields = value.get("fields") if isinstance(value, dict) else None
        if (
            isinstance(fields, list)
            and not value.get("id")
            and all(isinstance(field, str) for field in fields)
        ):
            return {**value, "id": "_".join(fields)[:200]}
        return value


class Entity(Element):
    """A kind of record. `table` is the name of its table; "" lets the engine name it."""

    table: Name = ""
    fields: Annotated[list[EntityField], Field(max_length=MAX_FIELDS)] = Field(default_factory=list)
    relations: Annotated[list[Relation], Field(max_length=MAX_FIELDS)] = Field(default_factory=list)
    unique_constraints: Annotated[list[UniqueConstraint], Field(max_length=50)] = Field(default_factory=list)


class DataBinding(_Value):
    """What a component shows or changes. `fields`: ids of the entity's fields and relations; [] means all."""

    entity: Id
    action: _Read[Action] = Action.LIST
    fields: Annotated[list[Id], Field(max_length=MAX_FIELDS)] = Field(default_factory=list)


class ComponentEvent(_Value):
    """What happens at an event of a component: a page is opened, an api or a business flow is called.

    on      such as `click`, `submit`, `rowClick`
    page, api, flow  the id of what is opened or called; one of them
    """

    on: Annotated[str, StringConstraints(min_length=1, max_length=50)] = "click"
    page: Id | None = None
    api: Id | None = None
    flow: Id | None = None


class Component(Element):
    """A part of a page. `type`: see `components.COMPONENT_TYPES`; `props`: what that type takes."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    props: dict[str, JsonValue] = Field(default_factory=dict)
    data_binding: DataBinding | None = None
    events: Annotated[list[ComponentEvent], Field(max_length=50)] = Field(default_factory=list)
    children: Annotated[list[Component], Field(max_length=MAX_COMPONENTS)] = Field(default_factory=list)


class Page(Element):
    """`path` is the route of the front end, such as `/orders/:id`."""

    path: Path
    layout: Annotated[str, StringConstraints(max_length=50)] = "default"
    components: Annotated[list[Component], Field(max_length=MAX_COMPONENTS)] = Field(default_factory=list)


class ApiParameter(_Value):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    location: Literal["path", "query", "body"] = Field(default="query", alias="in")
    type: _Read[FieldType] = FieldType.STRING
    required: bool = False
    description: Description = ""


class Api(Element):
    """An operation of the back end beyond those that every entity has (list, get, create, update, delete).

    entity, action  what it does, where it is one of those
    flow            the business flow that it runs, where it is not
    """

    path: Path
    method: _Read[HttpMethod] = HttpMethod.GET
    parameters: Annotated[list[ApiParameter], Field(max_length=100)] = Field(default_factory=list)
    responses: dict[str, Description] = Field(default_factory=dict)
    entity: Id | None = None
    action: _Read[Action] | None = None
    flow: Id | None = None


class FlowStep(_Value):
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class BusinessFlow(Element):
    """What the application does beyond storing records; a model writes its code.

    entity  whose records it works on
    """

    entity: Id | None = None
    steps: Annotated[list[FlowStep], Field(max_length=100)] = Field(default_factory=list)


class Blueprint(_Value):
    """An application. `project_name` is an identifier, `label` its title in any language."""

    schema_version: Literal[1] = 1
    project_name: Name = ""
    project_type: Literal["admin", "dashboard", "ecommerce"] = "admin"
    label: Label = ""
    description: Description = ""
    data_models: Annotated[list[Entity], Field(max_length=MAX_ENTITIES)] = Field(default_factory=list)
    pages: Annotated[list[Page], Field(max_length=MAX_PAGES)] = Field(default_factory=list)
    apis: Annotated[list[Api], Field(max_length=2000)] = Field(default_factory=list)
    business_flows: Annotated[list[BusinessFlow], Field(max_length=500)] = Field(default_factory=list)
