"""Names of constraints and indexes, which follow from tables and columns: one stands for one thing.

`orders` with `items_note` and `orders_items` with `note` would have one name for two indexes; PostgreSQL
knows indexes by their names in all tables, MySQL references.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from gencode.blueprints.findings import Finding, Fix
from gencode.blueprints.identifiers import pascal, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Entity, UniqueConstraint
from gencode.blueprints.rules import Rule
from gencode.blueprints.types import RelationType
from gencode.blueprints.validation.names import free_table


@dataclass(frozen=True, kw_only=True, slots=True)
class _Named:
    """`constraint`: of the entity, where it is one of its unique constraints."""

    kind: str
    columns: Sequence[str]
    constraint: UniqueConstraint | None = None


def check(index: BlueprintIndex) -> Iterator[Finding]:
    tables = {index.table(entity.id).lower() for entity in index.blueprint.data_models}
    tables |= {index.join_table(link).lower() for link in index.join_links}
    met: dict[str, tuple[str, Sequence[str]]] = {}
    for entity in index.blueprint.data_models:
        if pascal(entity.name)[:1].isalpha():
            path, table = f"dataModels/{entity.id}", index.table(entity.id)
            fix = Fix(changes={"table": free_table(snake(entity.name), tables)})
            yield from _collisions(path, table, _of_entity(index, entity), met, fix)
    for link in index.join_links:
        path, table = f"dataModels/{link.declared_by}/relations/{link.relation.id}", index.join_table(link)
        named = [_Named(kind="fk", columns=[column]) for column in index.join_columns(link)]
        named.append(_Named(kind="ix", columns=[index.join_columns(link)[1]]))
        fix = Fix(changes={"joinTable": free_table(f"{table}_links", tables)})
        yield from _collisions(path, table, named, met, fix)


def _collisions(
    path: str, table: str, named: Sequence[_Named], met: dict[str, tuple[str, Sequence[str]]], fix: Fix
) -> Iterator[Finding]:
    """One at most for a table that meets another one."""
    is_told = False
    for one in named:
        name = "_".join((one.kind, table, *one.columns)).lower()
        other, columns = met.setdefault(name, (path, one.columns))
        if other == path and columns is not one.columns and one.constraint is not None:
            is_same = list(columns) == list(one.columns)
            own = Fix(remove=True) if is_same else _in_other_order(one.constraint)
            yield _finding(f"{path}/uniqueConstraints/{one.constraint.id}", name, other, own)
        elif other != path and not is_told:
            is_told = True
            yield _finding(path, name, other, fix)


def _finding(path: str, name: str, other: str, fix: Fix) -> Finding:
    parameters = {"name": name, "other": other}
    return Finding(element=path, rule=Rule.CONSTRAINT_NAME, parameters=parameters, fix=fix)


def _in_other_order(constraint: UniqueConstraint) -> Fix:
    """The order of its fields changes nothing but the name of a unique constraint."""
    fields: list[JsonValue] = [*reversed(constraint.fields)]
    return Fix(changes={"fields": fields})


def _of_entity(index: BlueprintIndex, entity: Entity) -> list[_Named]:
    named = [
        _Named(kind="uq" if field.unique else "ix", columns=[snake(field.name)])
        for field in entity.fields
        if field.unique or field.index
    ]
    columns: dict[str, str] = {}
    for link in index.references_of(entity.id):
        column = index.column(link)
        columns |= {one.id: column for one in (link.relation, link.other) if one is not None}
        named.append(_Named(kind="uq" if link.type is RelationType.ONE_TO_ONE else "ix", columns=[column]))
        named.append(_Named(kind="fk", columns=[column]))
    if entity.unique_constraints:
        columns = {field.id: snake(field.name) for field in entity.fields} | columns
    for constraint in entity.unique_constraints:
        fields = [columns.get(field, field) for field in constraint.fields]
        named.append(_Named(kind="uq", columns=fields, constraint=constraint))
    return named
