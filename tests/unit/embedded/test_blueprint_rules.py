"""The rules of the offline model name entities, fields and relations by the words of the requirements."""

from __future__ import annotations

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.drafting import Assembly, Entry
from gencode.embedded.offline.openai_protocol import ChatMessage
from gencode.embedded.offline.rule_answers import rule_answer
from gencode.llm.port import Message
from gencode.llm.session import Answer
from gencode.pipelines.blueprint.answers import Said, read_said
from gencode.pipelines.blueprint.prompts import elements_messages, outline_messages
from gencode.pipelines.blueprint.summaries import asked_lines, blueprint_lines, outline_lines

EXAMPLE = "我需要一个用户管理系统，包含用户注册、登录、权限管理、用户列表展示和编辑功能..."


def answered(messages: tuple[Message, ...]) -> Said:
    given = [ChatMessage(role=one.role, content=one.content) for one in messages]
    answer = rule_answer(given)
    assert answer is not None
    return read_said(Answer(text=answer, truncated=False))


def made(text: str, base: Blueprint | None = None) -> Blueprint:
    present = blueprint_lines(base) if base else ""
    outline = answered(
        outline_messages({"The application as it is": present, "Requirements": text}, is_change=bool(base))
    )
    assert outline.by_rules
    asked = [one for one in outline.entries if one.kind in ("entity", "page", "flow")]
    entries: list[Entry] = [*outline.entries]
    if asked:
        sections = {
            "Requirements": text,
            "Outline of the application": outline_lines(outline.entries),
            "Write these elements": asked_lines(asked),
        }
        entries += answered(elements_messages(sections, is_change=bool(base))).entries
    assembly = Assembly(base or Blueprint())
    for entry in entries:
        assembly.add(entry)
    return assembly.blueprint()


def test_the_example_sentence_becomes_users_roles_and_permissions() -> None:
    blueprint = made(EXAMPLE)
    assert [(one.name, one.label) for one in blueprint.data_models] == [
        ("User", "用户"),
        ("Role", "角色"),
        ("Permission", "权限"),
    ]
    user, role, _ = blueprint.data_models
    assert {"username", "email", "password_hash"} <= {field.name for field in user.fields}
    assert [(one.type.value, one.target) for one in user.relations] == [("ManyToMany", "Role")]
    assert [(one.type.value, one.target) for one in role.relations] == [("ManyToMany", "Permission")]
    assert {page.path for page in blueprint.pages} >= {"/user", "/user/:id/edit", "/login", "/register"}
    bound = [one.data_binding for page in blueprint.pages for one in page.components if one.data_binding]
    assert not any("password_hash" in binding.fields for binding in bound)
    assert all(binding.fields for binding in bound if binding.entity == "User")
    assert [flow.name for flow in blueprint.business_flows] == ["logIn", "register"]
    assert [api.flow for api in blueprint.apis] == ["logIn", "register"]
    assert blueprint.label == "用户管理系统"


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("A user management system: sign up, log in, roles and permissions.", ["User", "Role", "Permission"]),
        ("A shop where customers place orders for products.", ["Customer", "Product", "Order"]),
        ("图书借阅系统：管理图书、读者和借阅记录", ["Reader", "Book", "Loan"]),
        ("Manage vehicles and track shipments.", ["Vehicle", "Shipment"]),
        ("Fleet management: it has lorries, depots and fuel cards.", ["Lorry", "Depot", "FuelCard"]),
        ("A clinic with doctors and patients who book an appointment", ["Appointment", "Doctor", "Patient"]),
        ("The system creates, updates, deletes and exports invoices.", ["Invoice"]),
        ("仓储平台：货架、托盘、入库、打印、月台管理", ["YueTai", "HuoJia", "TuoPan"]),
        ("库存管理系统，管理商品和仓库", ["Product", "Warehouse", "StockRecord"]),
        ("船舶管理和航线记录管理", ["ChuanBo", "HangXianJiLu"]),
        ("Something else entirely", ["Entry"]),
        ("", ["Entry"]),
    ],
)
def test_words_name_entities(text: str, entities: list[str]) -> None:
    assert [one.name for one in made(text).data_models] == entities


def test_fields_that_are_listed_are_those_of_the_entity() -> None:
    blueprint = made("Manage vehicles. Vehicle (plate, mileage count, bought_on, note, is_rented)")
    (vehicle,) = blueprint.data_models
    assert [(field.name, field.type.value) for field in vehicle.fields] == [
        ("plate", "string"),
        ("mileage_count", "integer"),
        ("bought_on", "date"),
        ("note", "text"),
        ("is_rented", "boolean"),
    ]


def test_changes_of_fields_are_operations_on_what_is_there() -> None:
    base = made(EXAMPLE)
    changed = made("给用户添加昵称字段。把用户的手机号改名为联系电话。删除角色的描述字段", base)
    user, role, permission = changed.data_models
    assert [one.id for one in changed.data_models] == [one.id for one in base.data_models]
    assert user.fields[-1].label == "昵称"
    (phone,) = [field for field in user.fields if field.id == "phone"]
    assert phone.label == "联系电话"
    assert [field.name for field in role.fields] == ["name"]
    assert permission == base.data_models[2]
    changed = made("Add a field nickname to User. Rename field phone of User to mobile.", base)
    assert [field.name for field in changed.data_models[0].fields][-1] == "nickname"
    assert "mobile" in [field.name for field in changed.data_models[0].fields]
