"""Compares the constraints and indexes of a table that both versions have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gencode.blueprints.migrations.columns import is_same_column
from gencode.blueprints.migrations.conversions import is_converted
from gencode.blueprints.migrations.duplicates import guard_duplicates
from gencode.blueprints.migrations.operations import (
    CreateConstraint,
    CreateForeignKey,
    DropConstraint,
    RenameConstraint,
    Risk,
)
from gencode.blueprints.migrations.plan import Phase, Plan
from gencode.blueprints.migrations.renames import ordered_renames
from gencode.blueprints.migrations.schema import Column, Constraint, ForeignKey, Table
from gencode.blueprints.migrations.sql import quoted

Kind = Literal["unique", "index", "check"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rename:
    """Of a constraint of `table`, by that table's new name."""

    table: str
    element: str
    before: str
    after: str
    is_index: bool = False


def compare_constraints(plan: Plan, old: Table, new: Table) -> list[Rename]:
    """What only gets another name is not done yet: see `rename_constraints`."""
    kinds: tuple[tuple[Kind, Mapping[str, Constraint], Mapping[str, Constraint]], ...] = (
        ("unique", old.uniques, new.uniques),
        ("index", old.indexes, new.indexes),
        ("check", old.checks, new.checks),
    )
    renames: dict[str, str] = {}
    dropped: set[str] = set()
    for kind, before, after in kinds:
        for key, constraint in before.items():
            wanted = after.get(key)
            if wanted is not None and _is_kept(plan, old, new, kind, constraint, wanted):
                renames[constraint.name] = wanted.name
            else:
                dropped.update(constraint.columns)
                _drop(plan, old, kind, constraint)
        if kind == "unique":
            _guard(plan, old, new)
        for key, constraint in after.items():
            was = before.get(key)
            if was is None or not _is_kept(plan, old, new, kind, was, constraint):
                _create(plan, old, new, kind, constraint)
    renames |= _compare_foreign_keys(plan, old, new, dropped)
    if old.primary_key and not plan.is_mysql:
        renames[old.primary_key] = new.primary_key
    indexes = {one.name for one in old.indexes.values()}
    return [
        Rename(table=new.name, element=new.element, before=before, after=after, is_index=before in indexes)
        for before, after in renames.items()
    ]


def _is_kept(plan: Plan, old: Table, new: Table, kind: Kind, before: Constraint, after: Constraint) -> bool:
    """A check names values and its column; MySQL refuses to rename a column of one. Converted columns of
    MySQL are made anew."""
    if before.columns != after.columns or not all(is_same_column(old, new, key) for key in after.columns):
        return False
    names = old.column_names(before.columns) != new.column_names(after.columns)
    pairs = [(old.columns[key], new.columns[key]) for key in after.columns]
    if kind == "check":
        is_changed = before.values != after.values or before.name != after.name or names
        return not is_changed and not any(is_converted(*pair) for pair in pairs)
    return not (plan.is_mysql and any(is_converted(*pair) for pair in pairs))


def _guard(plan: Plan, old: Table, new: Table) -> None:
    """Of constraints that are new, or whose values change."""
    unique = {one.columns for one in old.uniques.values()}
    for constraint in new.uniques.values():
        pairs = [(old.columns[key], new.columns[key]) for key in constraint.columns if key in old.columns]
        if constraint.columns not in unique or any(_is_changed(*pair) for pair in pairs):
            guard_duplicates(plan, old, new, constraint)


def _is_changed(before: Column, after: Column) -> bool:
    return (
        is_converted(before, after)
        or before.value_names != after.value_names
        or (before.nullable and not after.nullable)
    )


def _drop(plan: Plan, table: Table, kind: Kind, constraint: Constraint) -> None:
    plan.add(
        Phase.DROP_CONSTRAINT,
        DropConstraint(
            table=table.name,
            element=constraint.element,
            label=constraint.name,
            kind=kind,
            name=constraint.name,
        ),
    )


def _create(plan: Plan, old: Table, new: Table, kind: Kind, constraint: Constraint) -> None:
    is_new = kind == "unique" and constraint.columns not in {one.columns for one in old.uniques.values()}
    existed = any(is_same_column(old, new, key) for key in constraint.columns)
    plan.add(
        Phase.CREATE_CONSTRAINT,
        CreateConstraint(
            table=new.name,
            element=constraint.element,
            label=constraint.name,
            kind=kind,
            name=constraint.name,
            columns=new.column_names(constraint.columns),
            values=constraint.values,
            risk=Risk.DUPLICATES if is_new and existed else None,
        ),
    )


def _compare_foreign_keys(plan: Plan, old: Table, new: Table, dropped: set[str]) -> dict[str, str]:
    """MySQL cannot rename a foreign key, nor drop an index that one needs."""
    renames = {}
    for key, before in old.foreign_keys.items():
        after = new.foreign_keys.get(key)
        is_kept = (
            after is not None
            and is_same_column(old, new, key)
            and before.on_delete == after.on_delete
            and not (plan.is_mysql and (before.name != after.name or key in dropped))
        )
        if is_kept and after is not None:
            renames[before.name] = after.name
            continue
        plan.add(
            Phase.DROP_FOREIGN_KEY,
            DropConstraint(
                table=old.name,
                element=before.element,
                label=old.columns[key].label,
                kind="foreignkey",
                name=before.name,
            ),
        )
        if after is not None:
            create_foreign_key(plan, new, after)
    for key, added in new.foreign_keys.items():
        if key not in old.foreign_keys:
            create_foreign_key(plan, new, added)
    return renames


def create_foreign_key(plan: Plan, table: Table, reference: ForeignKey) -> None:
    plan.add(
        Phase.CREATE_FOREIGN_KEY,
        CreateForeignKey(
            table=table.name,
            element=reference.element,
            label=table.columns[reference.column].label,
            name=reference.name,
            column=table.columns[reference.column].name,
            target=plan.new.tables[reference.target].name,
            on_delete=reference.on_delete,
        ),
    )


def rename_constraints(plan: Plan, renames: Sequence[Rename]) -> None:
    """Of all tables: the names of PostgreSQL's indexes are those of a schema, not of a table."""
    origins = {one.before: one for one in renames}
    ordered = ordered_renames({one.before: one.after for one in renames}, origins.keys())
    for before, after in ordered:
        origin = origins[after] = origins[before]
        plan.add(
            Phase.RENAME_CONSTRAINT,
            RenameConstraint(
                table=origin.table,
                element=origin.element,
                label=after,
                name=before,
                after=after,
                statement=_renaming(plan, origin, before, after),
            ),
        )


def _renaming(plan: Plan, origin: Rename, before: str, after: str) -> str:
    one, other = quoted(before, plan.database), quoted(after, plan.database)
    table = quoted(origin.table, plan.database)
    if plan.is_mysql:
        return f"ALTER TABLE {table} RENAME INDEX {one} TO {other}"
    if origin.is_index:
        return f"ALTER INDEX {one} RENAME TO {other}"
    return f"ALTER TABLE {table} RENAME CONSTRAINT {one} TO {other}"
