"""Findings name the element and the rule, and their fixes mend what they name."""

from typing import Any

import pytest

from gencode.blueprints.finding_messages import MESSAGES
from gencode.blueprints.findings import Finding, is_valid
from gencode.blueprints.fixes import repaired
from gencode.blueprints.model import Blueprint
from gencode.blueprints.rules import Rule
from gencode.blueprints.validation import validate


def findings(spec: dict[str, Any]) -> list[Finding]:
    return validate(Blueprint.model_validate(spec))


def of_fields(*fields: dict[str, Any]) -> list[Finding]:
    return findings({"dataModels": [{"name": "Order", "fields": list(fields)}]})


def of_relations(*entities: dict[str, Any]) -> list[Finding]:
    return findings(
        {"dataModels": [{"fields": [{"name": "title", "type": "string"}], **one} for one in entities]}
    )


def shown(found: list[Finding]) -> list[tuple[str, str, Any]]:
    return [(one.element, one.rule, one.shown()["fix"]) for one in found]


def test_a_sound_blueprint_has_no_findings() -> None:
    spec = {
        "projectName": "shop",
        "dataModels": [
            {
                "name": "Customer",
                "label": "客户",
                "fields": [
                    {"name": "email", "type": "string", "length": 200, "unique": True, "required": True},
                    {
                        "name": "type",
                        "type": "enum",
                        "enumValues": [{"name": "new"}, {"name": "old"}],
                        "default": "new",
                    },
                    {"name": "date", "type": "date"},
                ],
                "relations": [
                    {"name": "orders", "type": "OneToMany", "target": "Order", "inverseName": "customer"}
                ],
            },
            {
                "name": "Order",
                "fields": [
                    {"name": "total", "type": "decimal", "precision": 10, "scale": 2, "default": "0.00"}
                ],
                "relations": [
                    {"name": "customer", "type": "ManyToOne", "target": "Customer", "required": True},
                    {"name": "related", "type": "ManyToMany", "target": "Order"},
                ],
                "uniqueConstraints": [{"fields": ["customer", "total"]}],
            },
        ],
        "pages": [
            {
                "name": "Orders",
                "path": "/orders/:id",
                "components": [
                    {
                        "name": "list",
                        "type": "table",
                        "dataBinding": {"entity": "Order", "fields": ["total", "customer"]},
                        "events": [{"on": "rowClick", "page": "Orders"}],
                    }
                ],
            }
        ],
        "apis": [{"name": "ship", "method": "POST", "path": "/orders/{order_id}/ship", "flow": "shipping"}],
        "businessFlows": [{"name": "shipping", "entity": "Order", "steps": [{"text": "Mark it as sent."}]}],
    }
    assert findings(spec) == []


@pytest.mark.parametrize(
    ("field", "rule", "fix"),
    [
        ({"name": "class", "type": "string"}, "reserved-word", {"changes": {"name": "class_value"}}),
        ({"name": "metadata", "type": "json"}, "reserved-word", {"changes": {"name": "metadata_value"}}),
        ({"name": "copy", "type": "string"}, "reserved-word", {"changes": {"name": "copy_value"}}),
        (
            {"name": "model_config", "type": "string"},
            "reserved-word",
            {"changes": {"name": "the_model_config"}},
        ),
        ({"name": "delete", "type": "string"}, "reserved-word", {"changes": {"name": "delete_value"}}),
        ({"name": "order", "type": "integer"}, "sql-reserved-word", {"changes": {"name": "order_value"}}),
        ({"name": "created_at", "type": "datetime"}, "duplicate-name", {"remove": True}),
        ({"name": "2nd", "type": "string"}, "identifier", {"changes": {"name": "value_2nd", "label": "2nd"}}),
        (
            {"name": "../x", "type": "string", "id": "x"},
            "identifier",
            {"changes": {"name": "x", "label": "../x"}},
        ),
        ({"name": "a", "type": "integer", "length": 5}, "type-parameter", {"changes": {"length": None}}),
        (
            {"name": "a", "type": "decimal", "precision": 2, "scale": 4},
            "scale",
            {"changes": {"precision": 6}},
        ),
        ({"name": "a", "type": "enum"}, "enum-values", {"changes": {"type": "string"}}),
        ({"name": "a", "type": "integer", "default": 2**31}, "default-value", {"changes": {"default": None}}),
        (
            {"name": "a", "type": "decimal", "default": "1.505"},
            "default-value",
            {"changes": {"default": None}},
        ),
        ({"name": "a", "type": "decimal", "default": 1e30}, "default-value", {"changes": {"default": None}}),
        (
            {"name": "a", "type": "string", "minLength": 1, "default": ""},
            "default-value",
            {"changes": {"default": None}},
        ),
        ({"name": "a", "type": "float", "default": 1e999}, "default-value", {"changes": {"default": None}}),
        ({"name": "a", "type": "boolean", "default": 1}, "default-value", {"changes": {"default": None}}),
        (
            {"name": "a", "type": "integer", "minimum": 3, "maximum": 2},
            "range",
            {"changes": {"maximum": None}},
        ),
        (
            {"name": "a", "type": "json", "unique": True},
            "not-indexable",
            {"changes": {"unique": False, "index": False}},
        ),
        (
            {"name": "a", "type": "string", "length": 900, "index": True},
            "key-length",
            {"changes": {"length": 768}},
        ),
        (
            {"name": "a", "type": "string", "length": 16000},
            "row-size",
            {
                "changes": {
                    "type": "text",
                    "length": None,
                    "default": None,
                    "unique": False,
                    "index": False,
                }
            },
        ),
    ],
)
def test_fields(field: dict[str, Any], rule: str, fix: Any) -> None:
    element = f"dataModels/Order/fields/{field.get('id', field['name'])}"
    if rule == "row-size":
        assert shown(of_fields(field, {"name": "b", "type": "string", "length": 16000})) == [
            (element, rule, fix)
        ]
    else:
        assert shown(of_fields(field)) == [(element, rule, fix)]


def test_names_differ_in_more_than_case_and_underscores() -> None:
    found = of_fields({"name": "userName", "type": "string"}, {"name": "user_name", "type": "string"})
    assert [(one.element, one.rule) for one in found] == [
        ("dataModels/Order/fields/user_name", "duplicate-name")
    ]


@pytest.mark.parametrize("name", ["Document", "Promise", "List", "Base", "Record", "Component"])
def test_a_class_never_hides_a_name_of_a_framework(name: str) -> None:
    (finding,) = of_relations({"name": name})
    assert (finding.rule, finding.fix and finding.fix.changes) == (
        "class-name",
        {"name": f"{name}Item", "label": name},
    )


def test_a_chinese_name_becomes_the_label_beside_a_proposed_identifier() -> None:
    (finding,) = of_relations({"name": "订单明细"})
    assert finding.fix is not None
    assert finding.fix.changes == {"name": "DingDanMingXi", "label": "订单明细"}
    assert "不是标识符" in finding.message("zh-CN")


def test_two_entities_never_share_a_table() -> None:
    found = of_relations({"name": "News"}, {"name": "Newspaper", "table": "news"})
    assert shown(found) == [
        ("dataModels/Newspaper", "table-collision", {"changes": {"table": "newspaper_table"}})
    ]


def test_the_column_of_a_reference_collides_with_a_field() -> None:
    found = of_relations(
        {
            "name": "Order",
            "fields": [{"name": "customer_id", "type": "integer"}],
            "relations": [{"name": "customer", "type": "ManyToOne", "target": "Customer"}],
        },
        {"name": "Customer"},
    )
    assert [(one.element, one.rule) for one in found] == [
        ("dataModels/Order/relations/customer", "duplicate-name")
    ]


def test_a_circle_of_required_relations_is_found_at_any_length() -> None:
    def one(number: int, of: int) -> dict[str, Any]:
        target = f"E{(number + 1) % of}"
        return {
            "name": f"E{number}",
            "relations": [{"name": "next", "type": "ManyToOne", "target": target, "required": True}],
        }

    for length in (1, 2, 400):
        found = of_relations(*(one(number, length) for number in range(length)))
        assert [one.rule for one in found] == ["required-cycle"]
        assert found[0].fix is not None
        assert found[0].fix.changes == {"required": False}


def test_a_required_relation_is_not_set_to_null() -> None:
    found = of_relations(
        {
            "name": "Order",
            "relations": [
                {
                    "name": "customer",
                    "type": "ManyToOne",
                    "target": "Customer",
                    "required": True,
                    "onDelete": "setNull",
                }
            ],
        },
        {"name": "Customer"},
    )
    assert shown(found) == [
        ("dataModels/Order/relations/customer", "on-delete", {"changes": {"onDelete": "restrict"}})
    ]


def page(path: str, *components: dict[str, Any]) -> dict[str, Any]:
    return {"name": "p", "path": path, "components": [{"name": "t", **one} for one in components]}


@pytest.mark.parametrize(
    ("part", "element", "rule"),
    [
        ({"pages": [page("orders")]}, "pages/p", "path-form"),
        ({"pages": [page("/../x")]}, "pages/p", "path-form"),
        ({"pages": [page("/a/:x"), {"name": "q", "path": "/A/:y"}]}, "pages/q", "duplicate-path"),
        ({"pages": [page("/p", {"type": "table"})]}, "pages/p/components/t", "no-binding"),
        ({"pages": [page("/p", {"type": "hologram"})]}, "pages/p/components/t", "component-type"),
        (
            {"pages": [page("/p", {"type": "form", "dataBinding": {"entity": "Nope"}})]},
            "pages/p/components/t",
            "dangling-reference",
        ),
        (
            {"pages": [page("/p", {"type": "button", "events": [{"page": "q"}]})]},
            "pages/p/components/t",
            "dangling-reference",
        ),
        (
            {"apis": [{"name": "a", "path": "/a", "entity": "Nope", "action": "list"}]},
            "apis/a",
            "dangling-reference",
        ),
        ({"apis": [{"name": "a", "path": "/a"}]}, "apis/a", "api-purpose"),
        ({"businessFlows": [{"name": "f"}]}, "businessFlows/f", "no-steps"),
        (
            {"businessFlows": [{"name": "import", "description": "d"}]},
            "businessFlows/import",
            "reserved-word",
        ),
    ],
)
def test_pages_apis_and_flows(part: dict[str, Any], element: str, rule: str) -> None:
    spec = {"dataModels": [{"name": "Order", "fields": [{"name": "title", "type": "string"}]}], **part}
    assert (element, rule) in [(one.element, str(one.rule)) for one in findings(spec)]


def test_warnings_do_not_make_a_blueprint_invalid() -> None:
    assert is_valid(of_fields({"name": "order", "type": "integer"}))
    assert not is_valid(of_fields({"name": "class", "type": "integer"}))
    assert not is_valid(findings({}))


def test_every_rule_has_messages_in_both_languages() -> None:
    assert set(MESSAGES) == set(Rule)
    for english, chinese in MESSAGES.values():
        assert english.isascii()
        assert not chinese.isascii()


def test_indexes_of_two_tables_never_share_a_name() -> None:
    def indexed(name: str, field: str) -> dict[str, Any]:
        return {"name": name, "fields": [{"name": field, "type": "string", "index": True}]}

    entities = [indexed("Order", "items_note"), {**indexed("OrdersItem", "note"), "table": "orders_items"}]
    blueprint = Blueprint.model_validate({"dataModels": entities})
    (finding,) = validate(blueprint)
    assert (finding.rule, finding.element) == ("constraint-name", "dataModels/OrdersItem")
    assert finding.fix is not None
    assert finding.fix.changes == {"table": "orders_item_table"}


def test_a_unique_constraint_never_has_the_name_of_another() -> None:
    fields = [{"name": name, "type": "integer"} for name in ("a_b", "c", "a", "b_c")]
    fields.append({"name": "d", "type": "integer", "unique": True})
    constraints = [{"fields": ["a_b", "c"]}, {"fields": ["a", "b_c"]}, {"fields": ["d"]}]
    entity = {"name": "Order", "fields": fields, "uniqueConstraints": constraints}
    blueprint, left = repaired(Blueprint.model_validate({"dataModels": [entity]}))
    assert left == []
    assert [one.fields for one in blueprint.data_models[0].unique_constraints] == [["a_b", "c"], ["b_c", "a"]]
