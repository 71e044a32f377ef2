"""What a model says becomes a blueprint of a valid form, whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gencode.blueprints import Blueprint, is_valid, validate
from gencode.blueprints.comparison import ChangeType, compare
from gencode.blueprints.drafting import Assembly, said_entries, with_certain_fixes
from gencode.blueprints.drafting.field_types import read_type
from gencode.blueprints.model import MAX_DEPTH
from gencode.blueprints.validation.identity_rules import components_of


def drafted(*said: Any, base: Blueprint | None = None) -> Blueprint:
    assembly = Assembly(base or Blueprint())
    for value in said:
        for entry in said_entries(value):
            assembly.add(entry)
    return assembly.blueprint()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("varchar(50)", {"type": "string", "length": 50}),
        ("VARCHAR2 (20 CHAR)", {"type": "string", "length": 20}),
        ("字符串", {"type": "string"}),
        ("money", {"type": "decimal", "precision": 12, "scale": 2}),
        ("decimal(10,4)", {"type": "decimal", "precision": 10, "scale": 4}),
        ("numeric(5)", {"type": "decimal", "precision": 5, "scale": 0}),
        ("int", {"type": "integer"}),
        ("double precision", {"type": "float"}),
        ("timestamp", {"type": "datetime"}),
        ("enum('new', \"paid\")", {"type": "enum", "enumValues": [{"name": "new"}, {"name": "paid"}]}),
        ("string[]", {"type": "json"}),
        ("Customer", {}),
        ("", {}),
        (None, {}),
        ({"a": 1}, {}),
    ],
)
def test_types_are_understood_as_databases_and_languages_name_them(said: Any, meant: dict[str, Any]) -> None:
    assert read_type(said) == meant


def test_a_whole_blueprint_with_chinese_keys() -> None:
    blueprint = drafted(
        {
            "projectName": "网店",
            "数据模型": [
                {
                    "名称": "订单",
                    "字段": [
                        {"名称": "金额", "类型": "金额", "必填": "是"},
                        {"名称": "状态", "枚举值": ["待付", "已付"]},
                    ],
                    "关系": [{"目标实体": "客户", "关系类型": "多对一"}],
                },
                {"名称": "客户", "字段": {"邮箱": "varchar(100)"}},
            ],
        }
    )
    order, customer = blueprint.data_models
    assert (order.label, customer.label, blueprint.label) == ("订单", "客户", "网店")
    assert [(field.label, field.type.value, field.required) for field in order.fields] == [
        ("金额", "decimal", True),
        ("状态", "enum", False),
    ]
    assert [(one.type.value, one.target) for one in order.relations] == [("ManyToOne", customer.id)]
    mended, findings, _ = with_certain_fixes(blueprint)
    assert is_valid(findings)
    assert all(entity.name.isascii() for entity in mended.data_models)


def test_what_is_said_twice_is_one_element_and_references_are_found_by_any_name() -> None:
    blueprint = drafted(
        {"kind": "entity", "name": "Order", "label": "订单"},
        {"kind": "entity", "name": "orders", "fields": [{"name": "total", "type": "int"}, {"name": "Total"}]},
        {"kind": "entity", "name": "OrderItem", "relations": [{"type": "belongsTo", "target": "订单"}]},
        {
            "kind": "page",
            "name": "Orders",
            "components": [{"type": "el-table", "entity": "orders", "fields": ["total"]}],
        },
    )
    assert [entity.id for entity in blueprint.data_models] == ["Order", "OrderItem"]
    assert [field.id for field in blueprint.data_models[0].fields] == ["total"]
    assert blueprint.data_models[1].relations[0].target == "Order"
    binding = blueprint.pages[0].components[0].data_binding
    assert binding is not None
    assert (binding.entity, binding.fields) == ("Order", ["total"])


def test_a_column_of_a_reference_is_the_relation() -> None:
    blueprint = drafted(
        {
            "kind": "entity",
            "name": "Order",
            "fields": [
                {"name": "customer_id", "type": "bigint", "required": True},
                {"name": "seller", "type": "Customer"},
                {"name": "externalId", "type": "string"},
                {"name": "id", "type": "bigint", "primaryKey": True},
            ],
        },
        {"kind": "entity", "name": "Customer", "fields": ["name: varchar(50)"]},
    )
    order = blueprint.data_models[0]
    assert [field.name for field in order.fields] == ["externalId"]
    assert {(one.name, one.target) for one in order.relations} == {
        ("seller", "Customer"),
    } or [one.name for one in order.relations] == ["seller", "customer"]


def base() -> Blueprint:
    return Blueprint.model_validate(
        {
            "dataModels": [
                {
                    "id": "e1",
                    "name": "Order",
                    "label": "订单",
                    "fields": [
                        {"id": "f1", "name": "sum", "type": "decimal", "precision": 10, "scale": 2},
                        {"id": "f2", "name": "note", "type": "text"},
                    ],
                },
                {"id": "e2", "name": "Customer", "fields": [{"id": "g1", "name": "name", "type": "string"}]},
            ],
            "pages": [
                {
                    "id": "p1",
                    "name": "Orders",
                    "path": "/orders",
                    "components": [
                        {"id": "c1", "name": "orders", "type": "table", "dataBinding": {"entity": "e1"}}
                    ],
                }
            ],
        }
    )


def test_a_change_keeps_ids_and_what_is_not_said() -> None:
    changed = drafted(
        {"kind": "rename", "element": "dataModels/e1/fields/f1", "name": "total", "label": "总额"},
        {"kind": "remove", "element": "dataModels/e1/fields/note"},
        {"kind": "field", "entity": "订单", "name": "paid_at", "type": "datetime"},
        {"kind": "entity", "id": "e2", "name": "Client", "fields": [{"name": "name", "required": True}]},
        {
            "kind": "page",
            "name": "Orders",
            "components": [{"name": "orders", "type": "table", "label": "All"}],
        },
        base=base(),
    )
    told = {(one.type, one.element) for one in compare(base(), changed)}
    assert told == {
        (ChangeType.CHANGED, "dataModels/e1/fields/f1"),
        (ChangeType.REMOVED, "dataModels/e1/fields/f2"),
        (ChangeType.ADDED, "dataModels/e1/fields/paid_at"),
        (ChangeType.CHANGED, "dataModels/e2"),
        (ChangeType.CHANGED, "dataModels/e2/fields/g1"),
        (ChangeType.CHANGED, "pages/p1/components/c1"),
    }
    assert changed.data_models[0].fields[0].name == "total"
    assert changed.data_models[1].name == "Client"
    binding = changed.pages[0].components[0].data_binding
    assert binding is not None
    assert binding.entity == "e1"


def test_an_element_that_is_only_mentioned_changes_nothing() -> None:
    said = {"kind": "entity", "name": "Order", "label": "订单", "fields": [{"name": "sum"}, {"id": "f2"}]}
    assert compare(base(), drafted(said, base=base())) == []


def test_relations_to_a_removed_entity_go_with_it() -> None:
    first = drafted({"kind": "relation", "entity": "Order", "target": "Customer"}, base=base())
    assert first.data_models[0].relations[0].target == "e2"
    second = drafted({"kind": "remove", "element": "dataModels/Customer"}, base=first)
    assert [(one.id, one.relations) for one in second.data_models] == [("e1", [])]


def nested(depth: int) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "table", "dataBinding": {"entity": "Order"}}
    for _ in range(depth):
        component = {"type": "container", "children": [component]}
    return component


HOSTILE = [
    {
        "kind": "entity",
        "name": "../../etc/passwd",
        "fields": ["../x: varchar(99999999999)", "__proto__: int"],
    },
    {"kind": "entity", "name": "__proto__", "fields": [{"name": "constructor", "type": {"a": 1}}]},
    {"kind": "entity", "name": "\x00\ud800", "fields": [None, 1, [], {"name": {}}, {"name": "a" * 10_000}]},
    {"kind": "entity", "id": "a/b~c\\d", "name": "A", "relations": [{"target": "a/b"}, {"target": ["x"]}, 3]},
    {"kind": "page", "name": "P", "path": "/../../x?y=1", "components": nested(90)},
    {"kind": "page", "name": "Q", "path": "https://evil.example/q", "components": [nested(60), 3, "table"]},
    {"kind": "page", "name": "R", "components": [{"type": "table", "name": "t", "id": "t"}] * 600},
    {
        "kind": "api",
        "name": "a",
        "path": "POST /api/x/{id}",
        "parameters": [None, {"name": "id", "in": "path"}],
    },
    {
        "kind": "flow",
        "name": "f",
        "entity": "Ghost",
        "steps": [None, "one", {"步骤": "two"}, {"text": "x" * 9000}],
    },
    {
        "kind": "entity",
        "name": "E",
        "fields": [{"name": "e", "type": "enum", "enumValues": ["'", "a", "A", ""]}],
    },
    {"kind": "entity", "name": "U", "uniqueConstraints": [{"fields": ["nothing"]}, {"fields": []}, "x", 1]},
    {
        "kind": "entity",
        "name": "N",
        "fields": [{"name": "n", "length": float("nan"), "minimum": float("inf")}],
    },
    {"dataModels": [{"name": "Same", "id": "s"}, {"name": "Same", "id": "s"}, {"name": "Other", "id": "s"}]},
    {"kind": "remove", "element": "dataModels/../../x"},
    {"kind": "remove", "element": "////"},
    {"kind": "rename", "element": "dataModels/E", "name": "../.."},
    [[[[[[[[{"kind": "entity", "name": "Deep"}]]]]]]]],
    {"kind": ["entity"], "name": "X"},
    {"kind": "application", "name": "../..", "label": "x" * 5000, "projectType": "evil"},
]


@pytest.mark.parametrize("said", HOSTILE, ids=lambda said: json.dumps(said)[:40])
def test_hostile_elements_end_in_a_valid_form(said: Any) -> None:
    blueprint = drafted({"kind": "entity", "name": "Order", "fields": ["total: int"]}, said, base=base())
    assert Blueprint.model_validate(blueprint.model_dump(mode="json", by_alias=True)) == blueprint
    mended, findings, _ = with_certain_fixes(blueprint, removes=True)
    text = mended.model_dump_json()
    assert ".." not in text.replace("...", "")
    assert "__proto__" not in text
    assert not [one for one in findings if one.rule == "duplicate-id"]
    for page in mended.pages:
        ids = [one.id for one in components_of(page)]
        assert len(ids) == len(set(ids)) <= 500


def test_all_hostile_elements_together_can_be_validated() -> None:
    blueprint = drafted(*HOSTILE)
    assert validate(blueprint) is not None
    assert MAX_DEPTH == 12


def test_ten_thousand_entities_are_cut_where_a_blueprint_ends() -> None:
    assembly = Assembly(Blueprint())
    value = {"dataModels": [{"name": f"Entity{number}", "fields": ["a: int"]} for number in range(10_000)]}
    entries = said_entries(value)
    assert len(entries) == 1000
    for entry in entries:
        assembly.add(entry)
    assert len(assembly.blueprint().data_models) == 500
    assert assembly.left_out == 500


def test_fixes_that_may_lose_what_was_meant_are_left_to_be_asked_about() -> None:
    said = {
        "kind": "entity",
        "name": "class",
        "fields": [{"name": "return", "type": "string"}],
        "relations": [{"name": "ghost", "target": "Ghost"}],
    }
    blueprint, findings, mended = with_certain_fixes(drafted(said))
    assert [one.rule.value for one in findings] == ["dangling-reference"]
    assert mended
    assert blueprint.data_models[0].relations
    blueprint, findings, _ = with_certain_fixes(blueprint, removes=True)
    assert findings == []
    assert not blueprint.data_models[0].relations
    path = "dataModels/class/relations/ghost"
    _, findings, _ = with_certain_fixes(drafted(said), removes=True, ignored={(path, "dangling-reference")})
    assert [one.element for one in findings] == [path]


def test_what_is_said_of_an_entity_before_it_waits_for_it() -> None:
    assembly = Assembly(Blueprint())
    said = (
        {"kind": "relation", "entity": "Order", "name": "tags", "type": "多对多", "target": "Tag"},
        {"kind": "field", "entity": "order", "name": "total", "type": "decimal"},
        {"kind": "field", "entity": "Nothing", "name": "total", "type": "decimal"},
        {"kind": "entity", "name": "Tag"},
        {"kind": "entity", "name": "Order"},
    )
    for entry in (one for value in said for one in said_entries(value)):
        assembly.add(entry)
    _, order = assembly.blueprint().data_models
    assert [one.name for one in order.fields] == ["total"]
    assert [(one.name, one.type.value, one.target) for one in order.relations] == [
        ("tags", "ManyToMany", "Tag")
    ]
    assert assembly.left_out == 1


def test_elements_with_one_label_stay_two() -> None:
    fields = [{"name": "name", "label": "名称"}, {"name": "title", "label": "名称"}]
    pages = [{"kind": "page", "name": f"{name}Form", "label": "编辑"} for name in ("Order", "User")]
    made = drafted({"kind": "entity", "name": "Order", "fields": fields}, *pages)
    assert [one.name for one in made.data_models[0].fields] == ["name", "title"]
    assert [one.name for one in made.pages] == ["OrderForm", "UserForm"]


@pytest.mark.parametrize("said", ["string?", "string | null", "optional string", "string!"])
def test_marks_of_optional_types_are_no_entities(said: str) -> None:
    assert read_type(said) == {"type": "string"}
