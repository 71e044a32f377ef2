"""An answer about one element changes no other."""

import json
from typing import Any

from gencode.blueprints import Blueprint
from gencode.blueprints.drafting import said_entries
from gencode.pipelines.blueprint.answers import Said
from gencode.pipelines.blueprint.repairing import about_element

SPEC = Blueprint.model_validate(
    {
        "dataModels": [{"name": "Order", "label": "订单"}, {"name": "Customer", "label": "客户"}],
        "pages": [{"name": "OrderList", "path": "/orders"}],
    }
)


def _kept(path: str, *said: dict[str, Any]) -> list[str]:
    entries = [entry for value in said for entry in said_entries(value)]
    return [json.dumps(one.values) for one in about_element(Said(entries=entries), SPEC, path).entries]


def test_only_the_element_that_was_asked_about_is_changed() -> None:
    order = {"kind": "entity", "name": "orders", "fields": ["total: int"]}
    others = (
        {"kind": "entity", "name": "Customer", "fields": ["name: string"]},
        {"kind": "page", "name": "OrderList", "path": "/x"},
        {"kind": "field", "entity": "Customer", "name": "age", "type": "int"},
        {"kind": "rename", "element": "dataModels/Customer", "name": "Client"},
        {"kind": "remove", "element": "dataModels/Order"},
    )
    assert len(_kept("dataModels/Order", order, *others)) == 1


def test_a_missing_entity_and_parts_of_the_element_may_be_said() -> None:
    said = (
        {"kind": "entity", "name": "Tag", "fields": ["name: string"]},
        {"kind": "field", "entity": "订单", "name": "total", "type": "int"},
        {"kind": "remove", "element": "dataModels/Order/relations/ghost"},
    )
    assert len(_kept("dataModels/Order", *said)) == 3
    assert len(_kept("pages/OrderList", *said)) == 1
