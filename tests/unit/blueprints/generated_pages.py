"""Pages made by a random generator: every component, binding and event, with hostile texts."""

from __future__ import annotations

from random import Random
from typing import Any

from gencode.blueprints import Blueprint, BlueprintIndex
from gencode.blueprints.components import BOUND_TYPES, COMPONENT_TYPES
from gencode.blueprints.rendering.page_context import ends_of

_TEXTS = (
    "",
    '客户\'s "name"',
    "</script><script>alert(1)</script>",
    "{{ 1 + 1 }}",
    "`${x}`",
    "a\nb",
    "[[ 1 ]]",
    "{% raw %}",
    "<!-- -->",
    "\\",
    "\u2028",
    "</template>",
    "*/",
    "'",
)
_PROPS: dict[str, Any] = {
    "text": list(_TEXTS),
    "level": [1, 7, "2", True, None],
    "pageSize": [5, 0, -1, "10", 10**9, 2.5],
    "direction": ["row", "column", 1],
    "src": ["/x.png", "https://example.org/a'b.png", "javascript:alert(1)", '/"onerror="x', 5],
    "value": [1, "</b>", [], None],
    "by": ["id", "</script>", "total", 1],
    "sum": ["id", "x", None],
    "deletable": [True, False, "yes"],
    "type": ["primary", "x"],
}
_EVENTS = ("click", "rowClick", "row-click", "submit", "edit", "search", "', x", '"><script>', "load")
_ACTIONS = ("list", "get", "create", "update", "delete")
_PATHS = ("/", "/plain", "/one/:id", "/two/:customerId/:id", "/a.b/:x-y", "/new")


def with_generated_pages(blueprint: Blueprint, seed: int) -> Blueprint:
    """Of a valid blueprint another one, which has these pages."""
    random = Random(seed)
    document = blueprint.model_dump(mode="json")
    document["pages"] = [
        {
            "id": f"p{number}",
            "name": f"P{number}",
            "label": random.choice(_TEXTS),
            "path": path,
            "layout": random.choice(("default", "blank", "</script>")),
            "components": [],
        }
        for number, path in enumerate(_PATHS)
    ]
    for page in document["pages"]:
        counter = iter(range(1000))
        page["components"] = [_component(random, blueprint, document, counter, 0) for _ in range(6)]
    return Blueprint.model_validate(document)


def _component(
    random: Random, blueprint: Blueprint, document: dict[str, Any], counter: Any, depth: int
) -> dict[str, Any]:
    type_ = random.choice((*sorted(COMPONENT_TYPES), "no-such-type"))
    value: dict[str, Any] = {
        "id": f"c{next(counter)}",
        "name": random.choice(("x", "</script>", "a b")),
        "label": random.choice(_TEXTS),
        "type": type_,
        "props": {name: random.choice(values) for name, values in _PROPS.items() if random.random() < 0.4},
        "events": [_event(random, document) for _ in range(random.randint(0, 3))],
    }
    if type_ in BOUND_TYPES or random.random() < 0.3:
        value["dataBinding"] = _binding(random, blueprint)
    if depth < 3:
        children = range(random.randint(0, 2))
        value["children"] = [_component(random, blueprint, document, counter, depth + 1) for _ in children]
    return value


def _binding(random: Random, blueprint: Blueprint) -> dict[str, Any]:
    entity = random.choice(blueprint.data_models)
    known = sorted(ends_of(BlueprintIndex(blueprint), entity.id))
    fields = random.sample(known, random.randint(0, len(known))) if random.random() < 0.7 else []
    return {"entity": entity.id, "action": random.choice(_ACTIONS), "fields": fields}


def _event(random: Random, document: dict[str, Any]) -> dict[str, Any]:
    targets = {
        "page": document["pages"],
        "api": document["apis"],
        "flow": document["businessFlows"],
    }
    kind = random.choice([name for name, elements in targets.items() if elements])
    return {"on": random.choice(_EVENTS), kind: random.choice(targets[kind])["id"]}
