"""Answers in the styles in which models write them give the same elements."""

from __future__ import annotations

import json

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.drafting import Assembly
from gencode.llm.errors import LLMBadOutput
from gencode.llm.session import Answer
from gencode.pipelines.blueprint.answers import read_said

ORDER = (
    '{"kind": "entity", "name": "Order", "label": "订单", "fields": [{"name": "total", "type": "decimal", '
    '"precision": 12, "scale": 2, "required": true}], "relations": [{"name": "customer", '
    '"type": "ManyToOne", "target": "Customer"}]}'
)
CUSTOMER = (
    '{"kind": "entity", "name": "Customer", "label": "客户", "fields": [{"name": "email", "type": "string"}]}'
)
LINES = f"{ORDER}\n{CUSTOMER}"
ENTITIES = json.dumps([json.loads(ORDER), json.loads(CUSTOMER)], ensure_ascii=False, indent=2)
STYLES = {
    "lines": LINES,
    "code fence": f"Here is the blueprint:\n```json\n{LINES}\n```\nLet me know!",
    "fence per element": f"```json\n{ORDER}\n```\n\n```json\n{CUSTOMER}\n```",
    "reasoning": f"First I think about {{entities}} and [fields] such as {{name: ...}}.\n\n{LINES}",
    "think block": f'<think>An Order {{has}} a Customer: {{"kind": ...</think>\n{LINES}',
    "trailing commas": LINES.replace("true}]", "true,},]").replace('"string"}]', '"string",}],'),
    "comments": LINES.replace('"scale": 2, ', '"scale": 2, // two digits\n'),
    "single quotes": LINES.replace('"', "'"),
    "typographic quotes": LINES.replace('"label": "订单"', "“label”: “订单”"),
    "a list": ENTITIES,
    "a blueprint": f'{{"dataModels": {ENTITIES}}}',
    "a wrapped blueprint": f'{{"blueprint": {{"projectName": "shop", "dataModels": {ENTITIES}}}}}',
    "objects by name": json.dumps(
        {"entities": {"Order": json.loads(ORDER), "Customer": json.loads(CUSTOMER)}}, ensure_ascii=False
    ),
    "broken over lines": "\n".join(json.dumps(json.loads(one), indent=4) for one in (ORDER, CUSTOMER)),
    "python": LINES.replace("true", "True"),
    "chinese keys": LINES.replace('"kind": "entity"', '"种类": "实体"')
    .replace('"name"', '"名称"')
    .replace('"fields"', '"字段"')
    .replace('"type"', '"类型"')
    .replace('"required": true', '"必填": "是"')
    .replace('"relations"', '"关系"')
    .replace('"target"', '"目标实体"'),
    "no kind": LINES.replace('"kind": "entity", ', ""),
    "kind as type": LINES.replace('"kind": "entity"', '"type": "entity"'),
    "operations": LINES.replace('"kind": "entity"', '"op": "x", "kind": "set_entity"'),
    "sql types": LINES.replace('"type": "decimal", "precision": 12, "scale": 2', '"type": "DECIMAL(12, 2)"'),
    "reference as a column": LINES.replace(
        '"relations": [{"name": "customer", "type": "ManyToOne", "target": "Customer"}]', '"relations": []'
    ).replace('"required": true}', '"required": true}, {"name": "customer_id", "type": "bigint"}'),
    "a stray sentence between": f"{ORDER}\nAnd now the customer:\n{CUSTOMER}",
    "windows lines": LINES.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_says_the_same(style: str) -> None:
    said = read_said(Answer(text=STYLES[style], truncated=False))
    assembly = Assembly(Blueprint())
    for entry in said.entries:
        assembly.add(entry)
    order, customer = assembly.blueprint().data_models
    assert (order.name, order.label, customer.name) == ("Order", "订单", "Customer")
    (total,) = order.fields
    assert (total.name, total.type.value, total.precision, total.scale) == ("total", "decimal", 12, 2)
    assert total.required
    assert [(one.name, one.type.value, one.target) for one in order.relations] == [
        ("customer", "ManyToOne", "Customer")
    ]
    assert [field.name for field in customer.fields] == ["email"]


@pytest.mark.parametrize("wrapped", [f'{{"dataModels": {ENTITIES}', ENTITIES, LINES])
def test_of_an_answer_that_was_cut_the_whole_elements_are_kept(wrapped: str) -> None:
    text = wrapped[: wrapped.index("email")]
    said = read_said(Answer(text=text, truncated=True))
    assert said.is_cut
    assert [entry.name for entry in said.entries] == ["Order"]


@pytest.mark.parametrize(
    "text", ["", "I cannot help with that.", "{}", "[1, 2]", '{"a": {"b": [{}]}}', "{" * 5000]
)
def test_an_answer_that_says_nothing_is_asked_for_again(text: str) -> None:
    with pytest.raises(LLMBadOutput):
        read_said(Answer(text=text, truncated=False))


def test_nothing_to_change_is_an_answer() -> None:
    said = read_said(Answer(text='{"kind": "none"}', truncated=False))
    assert said.entries == []


def test_a_flood_of_elements_is_cut() -> None:
    text = "\n".join(f'{{"kind": "entity", "name": "E{number}"}}' for number in range(3000))
    assert len(read_said(Answer(text=text, truncated=False)).entries) == 1000
