"""Blueprints with every fault that the validator knows, made by a random generator."""

from __future__ import annotations

from random import Random
from typing import Any

from gencode.blueprints import Blueprint
from tests.unit.blueprints.generated_blueprints import generated_blueprint

_VALUES = ("a", "A", " b", "it's", '"', "\\x", "a b", "a  b", "\n")
_PARAMETERS = ("x", "y", "class", "1", "X", "x ", "x__", "session", "你")
_API_PATHS = ("/a", "/A", "/a/{x}", "/a/{x}/{x}", "/a/{class}/{session}", "bad", "/a/{1}", "/{X}", "/")


def faulty_blueprint(seed: int) -> Blueprint:
    random = Random(seed)
    document: dict[str, Any] = generated_blueprint(seed).model_dump(mode="json")
    for entity in document["dataModels"]:
        _spoil_fields(random, entity)
        _spoil_entity(random, entity)
    _repeat(random, document["dataModels"])
    document["pages"] = [_page(random) for _ in range(random.randint(0, 4))]
    document["apis"] = [_api(random) for _ in range(random.randint(0, 5))]
    _repeat(random, document["businessFlows"])
    return Blueprint.model_validate(document)


def _spoil_fields(random: Random, entity: dict[str, Any]) -> None:
    spoils: tuple[dict[str, Any], ...] = (
        {"default": random.choice((1, "x", True, [], "now"))},
        {"length": random.choice((1, 800, 16_000))},
        {"precision": random.choice((1, 60)), "scale": random.choice((0, 30))},
        {"minimum": 5, "maximum": 1},
        {"minLength": 900},
        {"type": random.choice(("string", "text", "decimal", "binary"))},
    )
    for field in entity["fields"]:
        if field["type"] == "enum":
            field["enumValues"] = [{"name": random.choice(_VALUES)} for _ in range(random.randint(0, 5))]
        for spoil in spoils:
            if random.random() < 0.1:
                field |= spoil


def _spoil_entity(random: Random, entity: dict[str, Any]) -> None:
    if random.random() < 0.3:
        entity["fields"] += [
            {"name": f"big{number}", "type": "string", "length": random.choice((700, 3000, 9000))}
            for number in range(random.randint(1, 20))
        ]
    ids = [one["id"] for one in (*entity["fields"], *entity["relations"]) if "id" in one]
    for _ in range(random.randint(0, 3)):
        members = [random.choice((*ids, "nothing")) for _ in range(random.randint(1, 4))]
        entity["uniqueConstraints"].append({"id": f"u{random.randint(0, 2)}", "fields": members})
    if random.random() < 0.3:
        _repeat(random, entity["fields"])
        _repeat(random, entity["relations"])
    if ids and random.random() < 0.1:
        entity["relations"].append({"id": ids[0], "name": "r", "type": "ManyToOne", "target": "nowhere"})
    if random.random() < 0.1:
        entity["table"] = random.choice(("a b", "x", "alembic_version", "select", "x" * 70))


def _repeat(random: Random, elements: list[dict[str, Any]]) -> None:
    """Some elements are there twice or more often, with their ids."""
    for _ in range(random.randint(0, 3)):
        if elements:
            elements.append(dict(random.choice(elements)))


def _page(random: Random) -> dict[str, Any]:
    components = [_component(random, 0) for _ in range(random.randint(0, 3))]
    if random.random() < 0.3:
        components.append(_nested(random.choice((3, 11, 12, 20))))
    if random.random() < 0.03:
        components += [{**_nested(3), "id": f"k{number}"} for number in range(200)]
    return {
        "id": f"p{random.randint(0, 2)}",
        "name": random.choice(("p", "P", "订单", "")),
        "path": random.choice(("/p", "p", "/P/", "/x/:id", "/x/:y")),
        "components": components,
    }


def _component(random: Random, depth: int) -> dict[str, Any]:
    bound = {"entity": random.choice(("e0", "nothing")), "fields": random.choice(([], ["f0", "nothing"]))}
    return {
        "id": f"c{random.randint(0, 5)}",
        "name": random.choice(("x", "", "1", "表")),
        "type": random.choice(("table", "form", "button", "text", "weird", "container")),
        "dataBinding": random.choice((None, bound)),
        "events": [_event(random) for _ in range(random.randint(0, 3))],
        "children": [_component(random, depth + 1) for _ in range(random.randint(0, 2) if depth < 2 else 0)],
    }


def _event(random: Random) -> dict[str, str]:
    targets = random.sample(("page", "api", "flow"), random.randint(0, 3))
    return {"on": "click"} | {name: random.choice(("p", "a", "f", "nothing")) for name in targets}


def _nested(depth: int) -> dict[str, Any]:
    children = [_nested(depth - 1)] if depth else []
    return {"id": f"d{depth}", "name": f"d{depth}", "type": "container", "children": children}


def _api(random: Random) -> dict[str, Any]:
    return {
        "id": f"a{random.randint(0, 2)}",
        "name": random.choice(("a", "A", "class", "", "删除")),
        "path": random.choice(_API_PATHS),
        "method": "POST",
        "flow": random.choice(("f", "nothing", None)),
        "entity": random.choice((None, "e0", "nothing")),
        "parameters": [
            {"name": random.choice(_PARAMETERS), "in": random.choice(("path", "query", "body"))}
            for _ in range(random.randint(0, 4))
        ],
    }
