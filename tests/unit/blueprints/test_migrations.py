"""Migrations between two blueprints: what is renamed is not lost, what is destructive says so."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import Any

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.migrations import (
    Migration,
    Risk,
    described,
    destructive_steps,
    migration_between,
    reason,
    revision_text,
)
from gencode.blueprints.migrations.renames import ordered_renames
from gencode.blueprints.rendering import Database, Stack, render_project
from tests.unit.blueprints.generated_versions import generated_versions

POSTGRESQL, MYSQL = Stack(database=Database.POSTGRESQL), Stack(database=Database.MYSQL)
Spec = dict[str, Any]


def blueprint(*entities: Spec) -> Blueprint:
    return Blueprint.model_validate({"dataModels": list(entities)})


def customer(**changes: Any) -> Spec:
    """With one field."""
    return {
        "id": "c",
        "name": "Customer",
        "fields": [{"id": "e", "name": "email", "type": "string"} | changes],
    }


def order(**relation: Any) -> Spec:
    fields = [{"id": "t", "name": "total", "type": "integer"}]
    one = {"id": "r", "name": "customer", "type": "ManyToOne", "target": "c"} | relation
    return {"id": "o", "name": "Order", "fields": fields, "relations": [one]}


def migrated(old: Spec, new: Spec, stack: Stack = POSTGRESQL) -> Migration:
    """Of one entity."""
    return migration_between(blueprint(old), blueprint(new), stack)


def types(migration: Migration) -> list[str]:
    return [operation.type for operation in migration.upgrade]


@pytest.mark.parametrize("stack", [POSTGRESQL, MYSQL])
def test_a_renamed_entity_and_a_renamed_field_keep_their_rows(stack: Stack) -> None:
    old = blueprint(customer(unique=True), order())
    renamed = customer(unique=True, name="mail") | {"name": "Client"}
    new = blueprint(renamed, order(name="client"))
    migration = migration_between(old, new, stack)
    assert not migration.destructive
    assert {"rename_table", "rename_column", "rename_constraint"} <= set(types(migration))
    assert not {"drop_table", "drop_column", "create_table", "add_column"} & set(types(migration))
    text = revision_text(migration, predecessor="0001", title="x", stack=stack)
    ast.parse(text)
    assert 'op.rename_table("customers", "clients")' in text
    assert 'op.rename_table("clients", "customers")' in text


def test_what_is_alike_needs_no_migration() -> None:
    labelled = customer(label="邮箱", description="x", maximum=None)
    assert not migrated(customer(), labelled).upgrade
    files = render_project(blueprint(labelled), POSTGRESQL, [blueprint(customer())]).files
    assert files == render_project(blueprint(labelled), POSTGRESQL).files


def test_names_that_are_exchanged_go_by_another_one() -> None:
    assert ordered_renames({"a": "b", "b": "c"}, {"a", "b"}) == [("b", "c"), ("a", "b")]
    names = {"a": "a", "b": "b"}
    for old, new in ordered_renames({"a": "b", "b": "a"}, {"a", "b"}):
        assert new not in names
        names[new] = names.pop(old)
    assert names == {"a": "b", "b": "a"}


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ({"length": 20}, {"length": 10}, Risk.NARROWS),
        ({"length": 20}, {"length": 40}, None),
        ({"length": 20}, {"type": "text"}, None),
        ({"type": "integer"}, {"type": "bigint"}, None),
        ({"type": "bigint"}, {"type": "integer"}, Risk.NARROWS),
        ({"type": "integer"}, {"type": "decimal", "precision": 12, "scale": 2}, None),
        ({"type": "integer"}, {"type": "decimal", "precision": 5, "scale": 2}, Risk.NARROWS),
        ({"type": "date"}, {"type": "datetime"}, None),
        ({"type": "datetime"}, {"type": "date"}, Risk.NARROWS),
        ({"type": "string"}, {"type": "integer"}, Risk.MAY_FAIL),
        ({"type": "uuid"}, {"type": "date"}, Risk.LOSES_VALUES),
        ({"type": "integer"}, {"type": "string", "length": 11}, None),
        ({"type": "integer"}, {"type": "string", "length": 10}, Risk.NARROWS),
        ({}, {"required": True}, Risk.REQUIRES),
        ({}, {"unique": True}, Risk.DUPLICATES),
        ({"required": True}, {}, None),
    ],
)
@pytest.mark.parametrize("stack", [POSTGRESQL, MYSQL])
def test_what_loses_values_or_may_fail_is_destructive(
    before: Spec, after: Spec, risk: Risk, stack: Stack
) -> None:
    migration = migrated(customer(**before), customer(**after), stack)
    assert [operation.risk for operation in migration.destructive] == ([risk] if risk else [])
    assert all(reason(one) and reason(one, "zh") for one in migration.destructive)
    ast.parse(revision_text(migration, predecessor="0001", title="x", stack=stack))


def test_what_is_removed_is_destructive_and_what_is_added_is_not() -> None:
    one, both = blueprint(customer()), blueprint(customer(), order())
    assert not destructive_steps(one, both, POSTGRESQL)
    assert [step.risk for step in destructive_steps(both, one, POSTGRESQL)] == [Risk.DROPS_TABLE]
    bare = customer() | {"fields": [{"id": "x", "name": "x", "type": "integer"}]}
    assert [step.risk for step in migrated(customer(), bare).destructive] == [Risk.DROPS_COLUMN]


def test_a_new_required_field_gets_its_default_else_a_neutral_value_that_a_person_decides() -> None:
    without = customer() | {"fields": [{"id": "x", "name": "x", "type": "integer"}]}

    def added(**changes: Any) -> Any:
        fields = [*without["fields"], {"id": "n", "name": "n", "type": "integer", "required": True} | changes]
        (operation,) = [
            one
            for one in migrated(without, customer() | {"fields": fields}).upgrade
            if one.type == "add_column"
        ]
        return operation

    assert (added(default=7).fill, added(default=7).needs_decision) == ("7", False)
    assert (added().fill, added().needs_decision) == ("0", True)
    assert added(minimum=3).fill == "3"
    assert added(unique=True).fill == '"id"'
    assert "needs a decision" in described(added())
    assert "需要决定" in described(added(), "zh")


def test_a_new_required_reference_is_held_where_there_are_rows() -> None:
    old = blueprint(customer(), order() | {"relations": []})
    migration = migration_between(old, blueprint(customer(), order(required=True)), POSTGRESQL)
    assert [step.risk for step in migration.destructive] == [Risk.HELD]
    assert types(migration)[0] == "guard"


def test_a_relation_to_another_entity_is_another_column() -> None:
    other = {"id": "d", "name": "Dealer", "fields": [{"id": "x", "name": "x", "type": "integer"}]}
    migration = migration_between(
        blueprint(customer(), other, order()), blueprint(customer(), other, order(target="d")), POSTGRESQL
    )
    assert {"drop_column", "add_column"} <= set(types(migration))


def test_a_relation_that_the_other_end_declares_now_is_the_same() -> None:
    at_order = blueprint(customer(), order(inverseName="orders"))
    declared = {"id": "x", "name": "orders", "type": "OneToMany", "target": "o", "inverseName": "customer"}
    at_customer = blueprint(customer() | {"relations": [declared]}, order() | {"relations": []})
    assert not migration_between(at_order, at_customer, POSTGRESQL).upgrade


def test_values_of_an_enum_are_renamed_by_their_label() -> None:
    def state(*values: Spec, **changes: Any) -> Spec:
        return customer(type="enum", enumValues=list(values), **changes)

    old = state({"name": "a", "label": "A"}, {"name": "b"}, {"name": "c"}, required=True)
    new = state({"name": "z", "label": "A"}, {"name": "b"}, {"name": "d"}, required=True)
    (change,) = [one for one in migrated(old, new).upgrade if one.type == "change_values"]
    assert (change.renamed, change.added, change.removed) == ({"a": "z"}, ("d",), ("c",))  # type: ignore[attr-defined]
    assert change.risk is Risk.REMOVES_VALUES
    assert "WHEN 'a' THEN 'z' WHEN 'c' THEN 'z'" in change.statement  # type: ignore[attr-defined]


def test_ids_of_revisions_come_from_what_is_done() -> None:
    old, new = blueprint(customer()), blueprint(customer(length=300))
    labelled = blueprint(customer(length=300, label="邮箱"))
    ids = [migration_between(old, one, POSTGRESQL).revision("0001") for one in (new, labelled)]
    assert ids[0] == ids[1]
    assert ids[0] != migration_between(old, new, POSTGRESQL).revision("0002")
    assert ids[0] != migration_between(old, blueprint(customer(length=301)), POSTGRESQL).revision("0001")


def test_a_project_has_the_initial_migration_of_its_first_version_and_a_revision_for_each_step() -> None:
    versions = [
        blueprint(customer()),
        blueprint(customer(length=300)),
        blueprint(customer(length=300, name="x")),
    ]
    folder = "backend/migrations/versions/"
    files = render_project(versions[2], POSTGRESQL, versions[:2]).files
    initial, second, third = [path for path in files if path.startswith(folder)]
    assert files[initial] == render_project(versions[0], POSTGRESQL).files[initial]
    revision = second.removesuffix(".py").rpartition("_")[2]
    assert f'revision = "{revision}"\ndown_revision = "0001"' in files[second]
    assert f'down_revision = "{revision}"' in files[third]


@pytest.mark.parametrize("seed", range(6))
def test_generated_changes_give_revisions_that_parse(seed: int) -> None:
    stack = (POSTGRESQL, MYSQL)[seed % 2]
    for old, new in pairwise(generated_versions(seed, steps=2)):
        migration = migration_between(old, new, stack)
        ast.parse(revision_text(migration, predecessor="0001", title='"""', stack=stack))
        assert all(described(one) and described(one, "zh") for one in migration.upgrade)
