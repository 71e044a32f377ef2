"""Compares the columns of a table that both versions have."""

from __future__ import annotations

from dataclasses import replace

from gencode.blueprints.migrations.conversions import Conversion, Safety, conversion, is_converted
from gencode.blueprints.migrations.enums import compare_values
from gencode.blueprints.migrations.fills import fill_of
from gencode.blueprints.migrations.operations import (
    AddColumn,
    ChangeDefault,
    ConvertColumn,
    DropColumn,
    Guard,
    RenameColumn,
    Risk,
    SetNullable,
)
from gencode.blueprints.migrations.plan import Phase, Plan
from gencode.blueprints.migrations.renames import ordered_renames, temporary_name
from gencode.blueprints.migrations.schema import REFERENCE, Column, Table
from gencode.blueprints.migrations.sql import quoted

_RISKS = {
    Safety.SAFE: None,
    Safety.NARROWS: Risk.NARROWS,
    Safety.MAY_FAIL: Risk.MAY_FAIL,
    Safety.LOST: Risk.LOSES_VALUES,
}


def is_same_column(old: Table, new: Table, key: str) -> bool:
    """A reference to another table than before is another column: its values name other rows."""
    if key not in old.columns or key not in new.columns:
        return False
    references = old.foreign_keys.get(key), new.foreign_keys.get(key)
    return references[0] is None or references[1] is None or references[0].target == references[1].target


def compare_columns(plan: Plan, old: Table, new: Table) -> None:
    kept = [key for key in old.columns if is_same_column(old, new, key)]
    for key, column in old.columns.items():
        if key not in kept:
            plan.add(
                Phase.DROP_COLUMN,
                DropColumn(
                    table=old.name,
                    element=column.element,
                    label=column.label,
                    column=column,
                    risk=Risk.DROPS_COLUMN,
                ),
            )
    _rename(plan, new, {key: (old.columns[key], new.columns[key]) for key in kept})
    for key, column in new.columns.items():
        if key in kept:
            _compare(plan, old, new, old.columns[key], column)
        else:
            _add(plan, old, new, column)


def _rename(plan: Plan, new: Table, kept: dict[str, tuple[Column, Column]]) -> None:
    renames = {before.name: after.name for before, after in kept.values()}
    columns = {before.name: (before, after) for before, after in kept.values()}
    for name, after_name in ordered_renames(renames, renames.keys()):
        before, after = columns[after_name] = columns[name]
        plan.add(
            Phase.RENAME_COLUMN,
            RenameColumn(
                table=new.name,
                element=after.element,
                label=after.label,
                column=replace(before, name=name),
                after=after_name,
            ),
        )


def _add(plan: Plan, old: Table, new: Table, column: Column) -> None:
    fill = None if column.nullable else fill_of(column, plan.database)
    is_held = fill is not None and (not fill.sql or (column.unique and fill.is_same))
    if is_held and fill is not None:
        _hold(plan, old, column, most=1 if fill.sql else 0)
    sql = fill.sql if fill is not None else ""
    plan.add(
        Phase.ADD_COLUMN,
        AddColumn(
            table=new.name,
            element=column.element,
            label=column.label,
            column=column,
            fill=sql,
            statement=_update(plan, new.name, column.name, sql) if sql else "",
            risk=Risk.HELD if is_held else None,
            needs_decision=fill is not None and fill.is_decision,
        ),
    )


def _hold(plan: Plan, table: Table, column: Column, *, most: int) -> None:
    """No value would be right for more than `most` rows."""
    name = quoted(table.name, plan.database)
    what = "rows, and" if most == 0 else "more than one row, and"
    plan.add(
        Phase.GUARD,
        Guard(
            table=table.name,
            element=column.element,
            label=column.label,
            query=f"SELECT 1 FROM {name} LIMIT 1 OFFSET {most}",
            message=f"{table.name} has {what} no value of {column.name} is right for them: make it optional, "
            "fill it in, then require it",
        ),
    )


def _update(plan: Plan, table: str, column: str, value: str, where: str = "") -> str:
    name = quoted(column, plan.database)
    return f"UPDATE {quoted(table, plan.database)} SET {name} = {value}{where}"


def _compare(plan: Plan, old: Table, new: Table, before: Column, after: Column) -> None:
    if after.nullable and not before.nullable:
        _set_nullable(plan, old, new, before, after)
    if is_converted(before, after):
        _convert(plan, new, before, after)
    elif before.kind == after.kind == "enum":
        compare_values(plan, new, before, after)
    if before.nullable and not after.nullable:
        _set_nullable(plan, old, new, before, after)
    if before.default != after.default and before.kind == after.kind:
        plan.add(
            Phase.CHANGE_COLUMN,
            ChangeDefault(
                table=new.name, element=after.element, label=after.label, column=after, before=before
            ),
        )


def _convert(plan: Plan, new: Table, before: Column, after: Column) -> None:
    made = conversion(before, after, plan.database)
    via = temporary_name(new.name, after.name) if made.expression and plan.is_mysql else ""
    plan.add(
        Phase.CHANGE_COLUMN,
        ConvertColumn(
            table=new.name,
            element=after.element,
            label=after.label,
            column=after,
            before=replace(before, nullable=before.nullable or after.nullable),
            expression="" if via else made.expression,
            via=via,
            statement=_update(plan, new.name, via, made.expression) if via else "",
            risk=_RISKS[made.safety],
            needs_decision=_leaves_out(made)
            and not after.nullable
            and fill_of(after, plan.database).is_decision,
        ),
    )


def _leaves_out(made: Conversion) -> bool:
    """Whether a value may have no counterpart."""
    return made.safety is Safety.LOST or (made.safety is not Safety.SAFE and "CASE" in made.expression)


def _set_nullable(plan: Plan, old: Table, new: Table, before: Column, after: Column) -> None:
    """A reference that some rows do not have stops the migration; other columns get a value."""
    fill = fill_of(after, plan.database)
    if not after.nullable and after.kind == REFERENCE:
        table, column = quoted(old.name, plan.database), quoted(before.name, plan.database)
        plan.add(
            Phase.GUARD,
            Guard(
                table=old.name,
                element=after.element,
                label=after.label,
                query=f"SELECT 1 FROM {table} WHERE {column} IS NULL LIMIT 1",
                message=f"{old.name} has rows without {before.name}: fill it in before it is required",
            ),
        )
    where = f" WHERE {quoted(after.name, plan.database)} IS NULL"
    is_filled = not after.nullable and bool(fill.sql)
    plan.add(
        Phase.CHANGE_COLUMN,
        SetNullable(
            table=new.name,
            element=after.element,
            label=after.label,
            column=replace(before, name=after.name, nullable=True) if after.nullable else after,
            statement=_update(plan, new.name, after.name, fill.sql, where) if is_filled else "",
            risk=None if after.nullable else Risk.REQUIRES if fill.sql else Risk.HELD,
            needs_decision=is_filled and fill.is_decision,
        ),
    )
