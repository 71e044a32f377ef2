"""The tables of a blueprint, with keys that stay while names change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.links import Link
from gencode.blueprints.model import Blueprint
from gencode.blueprints.rendering.context import link_key, project_context
from gencode.blueprints.stack import Stack

REFERENCE = "reference"
"""The kind of a column that refers to another table, beside the types of fields."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """kind     a type of a field, or REFERENCE
    type     an expression of SQLAlchemy, as the models have it
    values   of an enum: the name and the label of each
    element  of the blueprint, such as `dataModels/Order/fields/total`
    label    what people call it
    """

    name: str
    kind: str
    type: str
    nullable: bool
    element: str
    label: str
    length: int | None = None
    precision: int = 0
    scale: int = 0
    values: tuple[tuple[str, str], ...] = ()
    default: JsonValue = None
    minimum: float | None = None
    maximum: float | None = None
    unique: bool = False

    @property
    def value_names(self) -> list[str]:
        return [name for name, _label in self.values]


@dataclass(frozen=True, kw_only=True, slots=True)
class Constraint:
    """A unique constraint, an index or a check. `columns`: keys. `values`: of a check."""

    name: str
    columns: tuple[str, ...]
    element: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignKey:
    """`target`: the key of a table. `deferred`: it closes a circle, and is made when all tables exist."""

    name: str
    column: str
    target: str
    on_delete: str
    element: str
    deferred: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """`source`: what templates see of it. `primary_key`: its name, of a join table."""

    name: str
    element: str
    label: str
    source: Mapping[str, Any]
    is_join: bool = False
    primary_key: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    uniques: dict[str, Constraint] = field(default_factory=dict)
    indexes: dict[str, Constraint] = field(default_factory=dict)
    checks: dict[str, Constraint] = field(default_factory=dict)
    foreign_keys: dict[str, ForeignKey] = field(default_factory=dict)

    def column_names(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.columns[key].name for key in keys)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """`tables`: by key, in an order in which they can be made."""

    tables: Mapping[str, Table]


def schemas_of(old: Blueprint, new: Blueprint, stack: Stack) -> tuple[Schema, Schema]:
    """Both blueprints must be valid. The keys of the newer schema are those of the older one, where both have
    the element: a relation that another entity declares now is the same, if its column is."""
    return _schema(old, stack, {}), _schema(new, stack, _moved(old, new))


def _schema(blueprint: Blueprint, stack: Stack, moved: Mapping[str, str]) -> Schema:
    context = project_context(blueprint, stack)
    ids = {entity["table"]: entity["id"] for entity in context["entities"]}
    tables = {entity["id"]: _table(entity, ids, moved) for entity in context["tables"]}
    for join in context["join_tables"]:
        tables[moved.get(join["key"], join["key"])] = _join_table(join, ids)
    return Schema(tables=tables)


def _moved(old: Blueprint, new: Blueprint) -> dict[str, str]:
    """Keys of the newer blueprint's links that have another key in the older one."""
    before, after = _links(old), _links(new)
    places = {place: key for key, place in before.items() if key not in after}
    return {key: places[place] for key, place in after.items() if key not in before and place in places}


def _links(blueprint: Blueprint) -> dict[str, tuple[str, ...]]:
    index = BlueprintIndex(blueprint)

    def place(link: Link) -> tuple[str, ...]:
        is_join = link in index.join_links
        return (link.source, link.target, index.join_table(link) if is_join else index.column(link))

    return {link_key(link): place(link) for link in index.links}


def _table(entity: Mapping[str, Any], ids: Mapping[str, str], moved: Mapping[str, str]) -> Table:
    element = f"dataModels/{entity['id']}"
    table = Table(name=entity["table"], element=element, label=entity["label"], source=entity)
    by_name: dict[str, str] = {}
    for one in entity["fields"]:
        key = f"fields/{one['id']}"
        by_name[one["name"]] = key
        _add_field(table, key, one, f"{element}/{key}")
    for one in entity["references"]:
        key = moved.get(one["key"], one["key"])
        by_name[one["column"]] = key
        _add_reference(table, key, one, ids)
    for one in entity["uniques"]:
        keys = tuple(by_name[name] for name in one["columns"])
        place = f"uniqueConstraints/{one['id']}"
        table.uniques[place] = Constraint(name=one["name"], columns=keys, element=f"{element}/{place}")
    return table


def _add_field(table: Table, key: str, one: Mapping[str, Any], element: str) -> None:
    table.columns[key] = Column(
        name=one["name"],
        kind=one["type"],
        type="sa.String(100)" if one["type"] == "enum" else one["python"]["column"],
        nullable=not one["required"],
        element=element,
        label=one["label"],
        length=one["length"],
        precision=one["precision"] or 0,
        scale=one["scale"] or 0,
        values=tuple(zip(one["values"], one["labels"], strict=True)),
        default=one["default"],
        minimum=one["minimum"],
        maximum=one["maximum"],
        unique=bool(one["unique"]),
    )
    for name, constraints in ((one["unique"], table.uniques), (one["index"], table.indexes)):
        if name:
            constraints[key] = Constraint(name=name, columns=(key,), element=element)
    if one["check"]:
        values = tuple(one["values"])
        table.checks[key] = Constraint(name=one["check"], columns=(key,), element=element, values=values)


def _add_reference(table: Table, key: str, one: Mapping[str, Any], ids: Mapping[str, str]) -> None:
    element = f"dataModels/{one['key']}"
    table.columns[key] = Column(
        name=one["column"],
        kind=REFERENCE,
        type="Key",
        nullable=not one["required"],
        element=element,
        label=one["label"],
        unique=bool(one["unique"]),
    )
    for name, constraints in ((one["unique"], table.uniques), (one["index"], table.indexes)):
        if name:
            constraints[key] = Constraint(name=name, columns=(key,), element=element)
    table.foreign_keys[key] = ForeignKey(
        name=one["foreign_key"],
        column=key,
        target=ids[one["target_table"]],
        on_delete=one["on_delete_sql"],
        element=element,
        deferred=one["deferred"],
    )


def _join_table(join: Mapping[str, Any], ids: Mapping[str, str]) -> Table:
    element = f"dataModels/{join['key']}"
    table = Table(
        name=join["table"],
        element=element,
        label=join["table"],
        source=join,
        is_join=True,
        primary_key=join["primary_key"],
    )
    for key, column in zip(("source", "target"), join["columns"], strict=True):
        name = column["name"]
        table.columns[key] = Column(
            name=name, kind=REFERENCE, type="Key", nullable=False, element=element, label=name
        )
        table.foreign_keys[key] = ForeignKey(
            name=column["foreign_key"],
            column=key,
            target=ids[column["target_table"]],
            on_delete="CASCADE",
            element=element,
        )
    table.indexes["target"] = Constraint(name=join["index"], columns=("target",), element=element)
    return table
