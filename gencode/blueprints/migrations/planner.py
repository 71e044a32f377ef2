"""Compares the tables of two blueprints."""

from __future__ import annotations

from gencode.blueprints.migrations.columns import compare_columns, is_same_column
from gencode.blueprints.migrations.constraints import (
    Rename,
    compare_constraints,
    create_foreign_key,
    rename_constraints,
)
from gencode.blueprints.migrations.operations import (
    CreateTable,
    DropConstraint,
    DropTable,
    MigrationOperation,
    RenameTable,
    Risk,
)
from gencode.blueprints.migrations.plan import Phase, Plan
from gencode.blueprints.migrations.renames import ordered_renames
from gencode.blueprints.migrations.schema import Schema, Table
from gencode.blueprints.stack import Database


def planned(old: Schema, new: Schema, database: Database) -> list[MigrationOperation]:
    """What makes the tables of `new` of those of `old`; [] where they are alike."""
    plan = Plan(old, new, database)
    kept = {
        key for key, table in new.tables.items() if key in old.tables and _is_same(old.tables[key], table)
    }
    _drop_tables(plan, kept)
    _rename_tables(plan, kept)
    renames: list[Rename] = []
    for key, table in new.tables.items():
        if key in kept:
            compare_columns(plan, old.tables[key], table)
            renames += compare_constraints(plan, old.tables[key], table)
        else:
            _create_table(plan, table)
    rename_constraints(plan, renames)
    return plan.operations()


def _is_same(old: Table, new: Table) -> bool:
    """A join table between other entities than before is another table."""
    return not new.is_join or all(is_same_column(old, new, key) for key in new.columns)


def _drop_tables(plan: Plan, kept: set[str]) -> None:
    dropped = {key: table for key, table in plan.old.tables.items() if key not in kept}
    for key, table in reversed(dropped.items()):
        for reference in table.foreign_keys.values():
            if reference.deferred and reference.target != key:
                plan.add(
                    Phase.DROP_FOREIGN_KEY,
                    DropConstraint(
                        table=table.name,
                        element=reference.element,
                        label=table.label,
                        kind="foreignkey",
                        name=reference.name,
                    ),
                )
        plan.add(
            Phase.DROP_TABLE,
            DropTable(table=table.name, element=table.element, label=table.label, risk=Risk.DROPS_TABLE),
        )


def _rename_tables(plan: Plan, kept: set[str]) -> None:
    tables = {key: table for key, table in plan.old.tables.items() if key in kept}
    renames = {table.name: plan.new.tables[key].name for key, table in tables.items()}
    by_name = {table.name: plan.new.tables[key] for key, table in tables.items()}
    for before, after in ordered_renames(renames, renames.keys()):
        table = by_name[after] = by_name[before]
        plan.add(
            Phase.RENAME_TABLE,
            RenameTable(table=before, element=table.element, label=table.label, after=after),
        )


def _create_table(plan: Plan, table: Table) -> None:
    """Keys that close a circle are made when all tables exist; those within a table, with it."""
    plan.add(
        Phase.CREATE_TABLE,
        CreateTable(
            table=table.name,
            element=table.element,
            label=table.label,
            source=table.source,
            is_join=table.is_join,
        ),
    )
    for reference in table.foreign_keys.values():
        if reference.deferred:
            create_foreign_key(plan, table, reference)
