"""Blueprints are compared by id, and the patch makes the new one of the old one."""

from copy import deepcopy
from random import Random
from typing import Any

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.comparison import compare, describe, json_patch
from gencode.blueprints.comparison.compare import document
from tests.unit.blueprints.generated_blueprints import generated_blueprint


def order(**changes: Any) -> Blueprint:
    field = {"id": "f1", "name": "total", "type": "integer", **changes}
    return Blueprint.model_validate({"dataModels": [{"name": "Order", "fields": [field]}]})


def test_a_rename_is_one_change() -> None:
    (operation,) = compare(order(), order(name="sum", type="decimal"))
    assert (operation.type, operation.element, operation.is_rename) == (
        "changed",
        "dataModels/Order/fields/f1",
        True,
    )
    assert describe(operation) == (
        'Order: field "sum" was renamed from "total" to "sum"; type: "integer" became "decimal"'
    )
    assert describe(operation, "zh-CN") == (
        'Order：字段“sum”：名称由 "total" 改为 "sum"；type由 "integer" 改为 "decimal"'
    )


def test_additions_removals_and_order_are_told() -> None:
    old = Blueprint.model_validate({"dataModels": [{"name": "A"}, {"name": "B"}, {"name": "C"}]})
    new = Blueprint.model_validate({"dataModels": [{"name": "C"}, {"name": "B"}, {"name": "D"}]})
    assert [describe(one) for one in compare(old, new)] == [
        'data model "A" was removed',
        "the order of the data models changed",
        'data model "D" was added',
    ]
    assert compare(old, old) == []


@pytest.mark.parametrize("seed", range(30))
def test_the_patch_makes_the_new_blueprint_of_the_old_one(seed: int) -> None:
    old, new = (
        changed(generated_blueprint(seed), Random(seed)),
        changed(generated_blueprint(seed), Random(-seed - 1)),
    )
    assert applied(document(old), json_patch(old, new)) == document(new)
    assert bool(json_patch(old, new)) == bool(compare(old, new))


def changed(blueprint: Blueprint, random: Random) -> Blueprint:
    spec = document(blueprint)
    for entity in spec["dataModels"]:
        entity["label"] = random.choice(("x", entity["label"]))
        entity["fields"] = random.sample(entity["fields"], random.randint(0, len(entity["fields"])))
        entity["relations"] = random.sample(entity["relations"], len(entity["relations"]))
    random.shuffle(spec["dataModels"])
    spec["dataModels"] = spec["dataModels"][: random.randint(0, 6)]
    return Blueprint.model_validate(spec)


def applied(value: Any, patch: list[dict[str, Any]]) -> Any:
    value = deepcopy(value)
    for operation in patch:
        moved = removed(value, operation["from"]) if operation["op"] == "move" else operation.get("value")
        holder, key = place(value, operation["path"])
        if operation["op"] == "remove":
            del holder[key]
        elif isinstance(holder, list) and operation["op"] in ("add", "move"):
            holder.insert(key, moved)
        else:
            holder[key] = moved
    return value


def removed(value: Any, pointer: str) -> Any:
    holder, key = place(value, pointer)
    return holder.pop(key)


def place(value: Any, pointer: str) -> tuple[Any, Any]:
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for part in parents:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value, int(last) if isinstance(value, list) else last
