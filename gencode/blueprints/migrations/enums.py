"""Compares the values of an enum."""

from __future__ import annotations

from gencode.blueprints.migrations.fills import fill_of
from gencode.blueprints.migrations.operations import ChangeValues, Risk
from gencode.blueprints.migrations.plan import Phase, Plan
from gencode.blueprints.migrations.schema import Column, Table
from gencode.blueprints.migrations.sql import quoted, text_literal
from gencode.blueprints.stack import Database


def compare_values(plan: Plan, table: Table, before: Column, after: Column) -> None:
    """A removed value becomes NULL, or the default, or the first value where one is required."""
    if set(before.value_names) == set(after.value_names):
        return
    renamed, removed = renamed_values(before, after), _removed(before, after)
    known = {*before.value_names, *renamed.values()}
    name = quoted(after.name, plan.database)
    made = changed_value(before, after, name, plan.database)
    plan.add(
        Phase.CHANGE_COLUMN,
        ChangeValues(
            table=table.name,
            element=after.element,
            label=after.label,
            column=after,
            renamed=renamed,
            added=tuple(value for value in after.value_names if value not in known),
            removed=removed,
            statement=f"UPDATE {quoted(table.name, plan.database)} SET {name} = {made}" if made else "",
            risk=Risk.REMOVES_VALUES if removed else None,
            needs_decision=bool(removed) and not after.nullable and fill_of(after, plan.database).is_decision,
        ),
    )


def changed_value(before: Column, after: Column, name: str, database: Database) -> str:
    """An expression of the column `name`, which is quoted; "" where no value changes."""
    fill = "NULL" if after.nullable else fill_of(after, database).sql
    values = {old: text_literal(new, database) for old, new in renamed_values(before, after).items()}
    values |= dict.fromkeys(_removed(before, after), fill)
    cases = " ".join(f"WHEN {text_literal(old, database)} THEN {new}" for old, new in values.items())
    return f"CASE {name} {cases} ELSE {name} END" if cases else ""


def _removed(before: Column, after: Column) -> tuple[str, ...]:
    kept = {*after.value_names, *renamed_values(before, after)}
    return tuple(value for value in before.value_names if value not in kept)


def renamed_values(before: Column, after: Column) -> dict[str, str]:
    """Values have no ids: one is renamed if another name has its label, which no other value has."""
    old, new = _by_label(before), _by_label(after)
    stay = set(before.value_names) & set(after.value_names)
    return {
        name: new[label]
        for label, name in old.items()
        if label in new and name not in stay and new[label] not in stay
    }


def _by_label(column: Column) -> dict[str, str]:
    labels = [label for _name, label in column.values]
    return {label: name for name, label in column.values if label != name and labels.count(label) == 1}
