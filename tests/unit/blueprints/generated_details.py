"""Blueprints with every property of every element, of which some fit and some do not, and hostile names."""

from __future__ import annotations

from random import Random
from typing import Any

from gencode.blueprints import Blueprint
from tests.unit.blueprints.generated_blueprints import generated_blueprint

Spec = dict[str, Any]
_NAMES = (
    *("", "..", ".", "/", "a/../../b", "C:\\x", "~", "-rf", "CON", "nul", ".git", "node_modules", "index"),
    *("App", "main", "router", "self", "None", "async", "type", "object", "this", "constructor", "__proto__"),
    *("test_x", "conftest", "models", "base", "Base", "Key", "sa", "Field", "ref", "texts", "entities"),
    *("user", "group", "table", "values", "check", "interval", "名称", "ﬁ", "Ⅷ", "straße", "İ", "é", "key"),
    *("a\u0301", "a\u200bb", "💥", "'; DROP TABLE x; --", "${alert(1)}", "{% endraw %}", "%s", "\\n", "a1"),
    *("OrderRead", "OrderUpdate", "order_id", "order_ids", "orders", "x_y", "xY", "XY", "x__y", "_", "__"),
    *("Order ", " order"),
)
_TEXTS = (
    *("", "%", "%(x)s", ":x", "\\", "\\'", '"', "'", "`", "*/", "-->", "]]>", "</script>", "</template>"),
    *("{{ x }}", "[[ x ]]", "{# x", "${x}", "#{x}", "\u2028", "\u202e", "\ufeff", "a\r\nb", "\t", "客户"),
    *("🎉", '"""', "'''", "\\u0041", "\\N{BULLET}", "rb''", "# hole: flow/x", "# end of hole", "x" * 200),
)
_TYPES = (
    *("string", "text", "integer", "bigint", "decimal", "float", "boolean"),
    *("date", "time", "datetime", "uuid", "json", "binary", "enum"),
)
_VALUES = ("new", "100%", "a:b", "价", "x y", "{{x}}", "[[x]]", "${x}", "None", "</b>", "é", "a" * 100)
_WRONG_VALUES = ("it's", "\\", "New", "价")
_DEFAULTS: Spec = {
    "string": ("", "x", 'it\'s \\ "x"', "{{x}}", "x" * 300, 5),
    "text": ("x", ""),
    "integer": (0, -1, 2**31 - 1, 2**31, 1.5, True),
    "bigint": (0, 2**63 - 1, -(2**63), "1"),
    "decimal": ("0", "1.50", 1, -0.5, "1e30", "NaN", "123456.789"),
    "float": (0, 1.5, -1e300, 1e-300, "x"),
    "boolean": (True, False, 1),
    "date": ("2024-02-29", "2023-02-29", "0001-01-01"),
    "time": ("23:59:59", "24:00", "12:00:00.5"),
    "datetime": ("now", "2024-05-06T07:08:09Z", "2024-05-06", "x"),
    "uuid": ("00000000-0000-4000-8000-000000000001", "x"),
    "json": ({}, [1]),
    "binary": ("AAE=",),
    "enum": ("new", "价", "gone", ""),
}
_PATHS = (
    *("/a", "/b/{x}", "/c/{x}/d/{y}", "/e.f/g-h/{id}", "/{body}", "/i/{q_1}"),
    *("a", "", "/", "/../a", "/a?b", "/价", "/a b", "//", "/a/", "/a/{}"),
)
_PARAMETERS = ("search", "page", "body", "item", "limit_1", "request", "response", "flow", "Query", "result")
_WRONG_PARAMETERS = ("class", "价", "session", "a-b", "None")


def detailed_blueprint(seed: int) -> Blueprint:
    """Each seed gives another one. It may have errors, which `repaired` mends."""
    random = Random(f"details {seed}")
    spec = generated_blueprint(seed).model_dump(mode="json", by_alias=True)
    for entity in spec["dataModels"]:
        _entity(random, entity)
    spec["apis"] = [_api(random, number, spec) for number in range(random.randint(0, 4))]
    spec["businessFlows"] = [_flow(random, number, spec) for number in range(random.randint(0, 3))]
    spec["projectType"] = random.choice(("admin", "dashboard", "ecommerce"))
    _rename(random, spec)
    return Blueprint.model_validate(spec)


def _rename(random: Random, value: Any) -> None:
    """A third of all names, and half of what people read."""
    if isinstance(value, list):
        for one in value:
            _rename(random, one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in ("name", "inverseName", "table", "joinTable", "projectName") and random.random() < 0.3:
                value[name] = random.choice(_NAMES)
            elif name in ("label", "inverseLabel", "description") and random.random() < 0.5:
                value[name] = random.choice(_TEXTS)
            elif name not in ("enumValues", "parameters", "default"):
                _rename(random, one)


def _entity(random: Random, entity: Spec) -> None:
    more = range(random.randint(0, 3))
    entity["fields"] += [{"id": f"g{number}", "name": f"f {number}"} for number in more]
    for field in entity["fields"]:
        _field(random, field)
    for relation in entity["relations"]:
        relation["owner"] = random.random() < 0.7
        relation["joinTable"] = ""
        relation["inverseLabel"] = ""
    entity["table"] = ""
    known = [one["id"] for one in (*entity["fields"], *entity["relations"])]
    for number in range(random.randint(0, 2) if known else 0):
        chosen = random.sample(known, random.randint(1, min(3, len(known))))
        entity["uniqueConstraints"].append({"id": f"u{number}", "fields": chosen})


def _field(random: Random, field: Spec) -> None:
    """In half of the fields everything may be there, in the others what the type takes."""
    kind = field["type"] = random.choice(_TYPES)
    wild = random.random() < 0.2
    for name in ("length", "precision", "scale", "minimum", "maximum", "minLength", "default", "enumValues"):
        field.pop(name, None)
    wrong = [random.choice(_WRONG_VALUES)] if random.random() < 0.02 else []
    if kind == "enum" or wild:
        field["enumValues"] = [
            {"name": name, "label": random.choice(_TEXTS)}
            for name in random.sample(_VALUES, random.randint(0, 5)) + wrong
        ]
    if (kind in ("string", "binary") or wild) and random.random() < 0.6:
        field["length"] = random.choice((1, 2, 36, 255, 768, 1000, 16000))
    if kind == "decimal" or wild:
        field |= {name: random.randint(1, 20) for name in ("precision", "scale") if random.random() < 0.5}
    if (kind in ("integer", "bigint", "decimal", "float") or wild) and random.random() < 0.5:
        least = random.choice((0, -1, 1, 0.5, 10, -(2.0**31)))
        field |= {
            "minimum": least,
            "maximum": random.choice((None, least, least + 1, least + 1e6, least - 1)),
        }
    if (kind in ("string", "text") or wild) and random.random() < 0.4:
        field["minLength"] = random.choice((0, 1, 2, 300))
    if random.random() < 0.4:
        field["default"] = random.choice(_DEFAULTS[kind])


def _api(random: Random, number: int, spec: Spec) -> Spec:
    targets = [one["id"] for one in spec["dataModels"]]
    path = random.choice(_PATHS)
    names = random.sample(_PARAMETERS, random.randint(0, 3))
    if random.random() < 0.03:
        names.append(random.choice(_WRONG_PARAMETERS))
    parameters = [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in path else random.choice(("query", "body")),
            "type": random.choice(_TYPES),
            "required": random.random() < 0.5,
            "description": random.choice(_TEXTS),
        }
        for name in names
    ]
    return {
        "id": f"a{number}",
        "name": random.choice(_NAMES),
        "path": path.replace("a", f"a{number}", 1),
        "method": random.choice(("GET", "POST", "PUT", "PATCH", "DELETE")),
        "parameters": parameters,
        "responses": {"200": random.choice(_TEXTS), "4xx": "x"},
        "entity": random.choice((None, *targets)),
        "action": random.choice((None, "list", "get", "create", "update", "delete")),
        "flow": random.choice((None, "f0", "f1", "gone")),
    }


def _flow(random: Random, number: int, spec: Spec) -> Spec:
    return {
        "id": f"f{number}",
        "name": random.choice(_NAMES),
        "label": random.choice(_TEXTS),
        "entity": random.choice((None, "gone", *(one["id"] for one in spec["dataModels"]))),
        "steps": [{"text": text} for text in random.sample(_TEXTS, random.randint(0, 4)) if text],
    }
