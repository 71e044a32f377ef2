"""Blueprints made by a random generator: hostile names, every relation, every type."""

from __future__ import annotations

from random import Random
from typing import Any

from gencode.blueprints import Blueprint

_NAMES = (
    *(
        "class",
        "Order",
        "order",
        "订单",
        "import",
        "metadata",
        "list",
        "Document",
        "Promise",
        "../../etc/passwd",
        "",
    ),
    *(
        "con",
        "a b",
        "名前",
        "select",
        "model_x",
        "id",
        "created_at",
        "OrderInput",
        "records",
        "data_id",
        "data",
    ),
    *(
        "tags",
        "tags_ids",
        "x" * 120,
        "1st",
        "__init__",
        'quote"',
        "it's",
        "*/",
        "</script>",
        "{{x}}",
        "[[x]]",
        "\u202eabc",
    ),
)
_TYPES = (
    "string",
    "text",
    "integer",
    "bigint",
    "decimal",
    "float",
    "boolean",
    "date",
    "time",
    "datetime",
    "uuid",
    "json",
)
_RELATIONS = ("OneToOne", "OneToMany", "ManyToOne", "ManyToMany")
_LABELS = ("", '客户\'s "name"', '"""', "*/ -->", "line\nend", "\\", "{% raw %}", "[[ 1 ]]", "${x}", "\u2028")


def generated_blueprint(seed: int) -> Blueprint:
    random = Random(seed)
    count = random.randint(1, 6)
    names = [_unique(random, index) for index in range(count)]
    spec = {
        "projectName": random.choice(_NAMES),
        "label": random.choice(_LABELS),
        "description": random.choice(_LABELS),
        "dataModels": [_entity(random, name, names) for name in names],
        "pages": [
            {"id": "p", "name": random.choice(_NAMES) or "p", "path": random.choice(("/p", "p", "/../x"))}
        ],
        "apis": [{"id": "a", "name": random.choice(_NAMES), "path": "/a/{x}", "method": "POST", "flow": "f"}],
        "businessFlows": [{"id": "f", "name": random.choice(_NAMES), "description": random.choice(_LABELS)}],
    }
    return Blueprint.model_validate(spec)


def _unique(random: Random, index: int) -> dict[str, str]:
    return {"id": f"e{index}", "name": random.choice(_NAMES), "label": random.choice(_LABELS)}


def _entity(random: Random, name: dict[str, str], names: list[dict[str, str]]) -> dict[str, Any]:
    return {
        **name,
        "description": random.choice(_LABELS),
        "fields": [_field(random, index) for index in range(random.randint(0, 6))],
        "relations": [_relation(random, index, names) for index in range(random.randint(0, 3))],
    }


def _field(random: Random, index: int) -> dict[str, Any]:
    type_ = random.choice((*_TYPES, "enum"))
    field: dict[str, Any] = {
        "id": f"f{index}",
        "name": random.choice(_NAMES),
        "label": random.choice(_LABELS),
        "type": type_,
    }
    if type_ == "enum":
        field["enumValues"] = [{"name": "a"}, {"name": "价"}]
    if type_ == "decimal":
        field |= {"precision": random.randint(1, 20), "scale": random.randint(0, 6)}
    if type_ == "string":
        field["length"] = random.choice((1, 3, 255, 1000))
    return field | {
        "required": random.random() < 0.5,
        "unique": random.random() < 0.2,
        "index": random.random() < 0.2,
    }


def _relation(random: Random, index: int, names: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "id": f"r{index}",
        "name": random.choice(_NAMES),
        "type": random.choice(_RELATIONS),
        "target": random.choice(names)["id"],
        "inverseName": random.choice(("", "", *_NAMES)),
        "required": random.random() < 0.3,
        "onDelete": random.choice((None, "cascade", "setNull", "restrict")),
    }
