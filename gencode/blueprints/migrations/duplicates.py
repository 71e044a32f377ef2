"""Finds rows that would be alike in columns that must be unique after the migration, before it begins."""

from __future__ import annotations

from dataclasses import replace

from gencode.blueprints.migrations.columns import is_same_column
from gencode.blueprints.migrations.conversions import conversion, is_converted
from gencode.blueprints.migrations.enums import changed_value
from gencode.blueprints.migrations.fills import fill_of
from gencode.blueprints.migrations.operations import Guard
from gencode.blueprints.migrations.plan import Phase, Plan
from gencode.blueprints.migrations.schema import Column, Constraint, Table
from gencode.blueprints.migrations.sql import quoted


def guard_duplicates(plan: Plan, old: Table, new: Table, constraint: Constraint) -> None:
    """Nothing is to be asked where one of the columns gets another value for each row, or none."""
    stay = [key for key in constraint.columns if is_same_column(old, new, key)]
    added = [new.columns[key] for key in constraint.columns if key not in stay]
    if not stay or any(column.nullable or not fill_of(column, plan.database).is_same for column in added):
        return
    values = [_value(plan, old.columns[key], new.columns[key]) for key in stay]
    names = [f"value_{number}" for number in range(len(values))]
    made = ", ".join(f"{value} AS {name}" for value, name in zip(values, names, strict=True))
    present = " AND ".join(f"{name} IS NOT NULL" for name in names)
    plan.add(
        Phase.GUARD,
        Guard(
            table=old.name,
            element=constraint.element,
            label=constraint.name,
            query=f"SELECT 1 FROM (SELECT {made} FROM {quoted(old.name, plan.database)}) AS found "
            f"WHERE {present} GROUP BY {', '.join(names)} HAVING COUNT(*) > 1 LIMIT 1",
            message=f"{old.name} has rows that would be alike in {', '.join(old.column_names(tuple(stay)))}: "
            "change them before they must be unique",
        ),
    )


def _value(plan: Plan, before: Column, after: Column) -> str:
    """What a column holds after the migration, by its old name."""
    name = quoted(before.name, plan.database)
    value = name
    if is_converted(before, after):
        value = conversion(before, replace(after, name=before.name), plan.database).expression or name
    elif before.kind == "enum":
        value = changed_value(before, after, name, plan.database) or name
    if before.nullable and not after.nullable and (fill := fill_of(after, plan.database).sql):
        return f"COALESCE({value}, {fill})"
    return value
