"""Tables of a blueprint as exports write them: columns with checks, references, keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from gencode.blueprints.identifiers import snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.links import Link
from gencode.blueprints.model import Entity, EntityField
from gencode.blueprints.types import FieldType, OnDelete, RelationType


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    name: str
    type: FieldType
    length: int | None = None
    precision: int = 0
    scale: int = 0
    values: tuple[tuple[str, str], ...] = ()
    is_required: bool = False
    is_unique: bool = False
    is_indexed: bool = False
    default: JsonValue = None
    comment: str = ""
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0

    def checks(self, name: str) -> Iterator[str]:
        """Of what the field allows, such as `total >= 0`. `name`: as SQL writes it."""
        if self.minimum is not None:
            yield f"{name} >= {_number(self.minimum)}"
        if self.maximum is not None:
            yield f"{name} <= {_number(self.maximum)}"
        if self.min_length:
            yield f"char_length({name}) >= {self.min_length}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A column that refers to the `id` of another table."""

    column: str
    target: str
    is_one: bool
    on_delete: OnDelete


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """`key`: the columns of the primary key of a join table; () is `id`."""

    name: str
    comment: str = ""
    columns: list[Column] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    uniques: list[tuple[str, ...]] = field(default_factory=list)
    key: tuple[str, ...] = ()


def tables_of(index: BlueprintIndex) -> Iterator[Table]:
    """Those of the data models, then those that join two of them."""
    for entity in index.blueprint.data_models:
        yield _table(index, entity)
    for link in index.join_links:
        yield _join_table(index, link)


def _table(index: BlueprintIndex, entity: Entity) -> Table:
    columns = {one.id: _column(one) for one in entity.fields}
    references = []
    for link in index.references_of(entity.id):
        column = index.column(link)
        is_one = link.type is RelationType.ONE_TO_ONE
        declared = link.relation if link.is_declared_at_source else link.other
        name = declared.id if declared is not None else column
        columns[name] = Column(
            name=column,
            type=FieldType.BIGINT,
            is_required=link.required,
            is_unique=is_one,
            comment=(declared.label or declared.description) if declared is not None else "",
        )
        target = index.table(link.target)
        references.append(Reference(column=column, target=target, is_one=is_one, on_delete=link.on_delete))
    return Table(
        name=index.table(entity.id),
        comment=entity.label or entity.description,
        columns=list(columns.values()),
        references=references,
        uniques=[
            tuple(columns[one].name for one in unique.fields if one in columns)
            for unique in entity.unique_constraints
        ],
    )


def _column(one: EntityField) -> Column:
    precision, scale = one.column_digits
    return Column(
        name=snake(one.name),
        type=one.type,
        length=one.column_length,
        precision=precision,
        scale=scale,
        values=tuple((value.name, value.label) for value in one.enum_values),
        is_required=one.required,
        is_unique=one.unique,
        is_indexed=one.index and not one.unique,
        default=one.default,
        comment=one.label or one.description,
        minimum=one.minimum,
        maximum=one.maximum,
        min_length=one.min_length or 0,
    )


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e19 else repr(value)


def _join_table(index: BlueprintIndex, link: Link) -> Table:
    names = index.join_columns(link)
    return Table(
        name=index.join_table(link),
        columns=[Column(name=name, type=FieldType.BIGINT, is_required=True) for name in names],
        references=[
            Reference(column=name, target=index.table(entity), is_one=False, on_delete=OnDelete.CASCADE)
            for name, entity in zip(names, (link.source, link.target), strict=True)
        ],
        key=names,
    )
