"""The next version of a blueprint, made by a random generator: renamed, added, removed, changed elements."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from gencode.blueprints import Blueprint, is_valid, normalised, repaired
from gencode.blueprints.comparison.compare import document
from tests.unit.blueprints.generated_blueprints import generated_blueprint

Spec = dict[str, Any]
_WORDS = ("amount", "city", "colour", "owner", "note", "rank", "score", "title", "weight", "zone")
_TYPES = (
    *("string", "text", "integer", "bigint", "decimal", "float", "boolean"),
    *("date", "time", "datetime", "uuid", "json", "binary", "enum"),
)
_SIZED_AWAY = ("length", "precision", "scale", "default", "minimum", "maximum", "minLength")


def generated_versions(seed: int, *, steps: int = 1) -> list[Blueprint]:
    """Valid blueprints, each with a few changes of the one before."""
    random = Random(seed)
    first, _findings = repaired(generated_blueprint(seed))
    versions = [_with_details(random, normalised(first))]
    while len(versions) <= steps:
        spec = document(versions[-1])
        for _ in range(random.randint(1, 6)):
            random.choice(_MUTATIONS)(random, spec)
        versions.append(_valid(spec))
    return versions


def _valid(spec: Spec) -> Blueprint:
    blueprint, findings = repaired(Blueprint.model_validate(spec))
    if not is_valid(findings):
        raise ValueError([one.shown() for one in findings])
    return normalised(blueprint)


def _with_details(random: Random, blueprint: Blueprint) -> Blueprint:
    spec = document(blueprint)
    for entity in spec["dataModels"]:
        for field in entity["fields"]:
            if field["type"] == "enum" and random.random() < 0.5:
                field["enumValues"] = _values(random)
        _change_uniques(random, entity)
    return _valid(spec)


def _values(random: Random) -> list[Spec]:
    names = random.sample(("new", "open", "paid", "sent", "已付", "100%", "a:b"), random.randint(1, 4))
    return [{"name": name, "label": f"{name}!" if random.random() < 0.5 else ""} for name in names]


def _fields(spec: Spec) -> list[tuple[Spec, Spec]]:
    return [(entity, field) for entity in spec["dataModels"] for field in entity["fields"]]


def _relations(spec: Spec) -> list[tuple[Spec, Spec]]:
    return [(entity, one) for entity in spec["dataModels"] for one in entity["relations"]]


def _fresh(random: Random) -> str:
    return f"{random.choice(_WORDS)}_{random.randint(0, 999)}"


def _rename_entity(random: Random, spec: Spec) -> None:
    entity = random.choice(spec["dataModels"])
    entity["name"], entity["table"] = _fresh(random), random.choice(("", "", _fresh(random)))


def _swap_entities(random: Random, spec: Spec) -> None:
    if len(spec["dataModels"]) > 1:
        one, other = random.sample(spec["dataModels"], 2)
        for name in ("name", "table"):
            one[name], other[name] = other[name], one[name]


def _rename_field(random: Random, spec: Spec) -> None:
    if fields := _fields(spec):
        random.choice(fields)[1]["name"] = _fresh(random)


def _swap_fields(random: Random, spec: Spec) -> None:
    entity = random.choice(spec["dataModels"])
    if len(entity["fields"]) > 1:
        one, other = random.sample(entity["fields"], 2)
        one["name"], other["name"] = other["name"], one["name"]


def _add_field(random: Random, spec: Spec) -> None:
    entity = random.choice(spec["dataModels"])
    field: Spec = {"id": f"n{random.randint(0, 10**9)}", "name": _fresh(random), "type": "string"}
    _retype(random, field)
    field |= {name: random.random() < 0.3 for name in ("required", "unique", "index")}
    entity["fields"].insert(random.randint(0, len(entity["fields"])), field)


def _remove_field(random: Random, spec: Spec) -> None:
    if fields := _fields(spec):
        entity, field = random.choice(fields)
        entity["fields"].remove(field)


def _change_type(random: Random, spec: Spec) -> None:
    if fields := _fields(spec):
        _retype(random, random.choice(fields)[1])


def _retype(random: Random, field: Spec) -> None:
    for name in _SIZED_AWAY:
        field[name] = None
    field["type"] = random.choice(_TYPES)
    field["enumValues"] = _values(random) if field["type"] == "enum" else []
    _resize(random, field)


def _resize(random: Random, field: Spec) -> None:
    if field["type"] in {"string", "binary"}:
        field["length"] = random.choice((1, 5, 40, 255, 600, 2000))
    if field["type"] == "decimal":
        field["scale"] = random.randint(0, 8)
        field["precision"] = field["scale"] + random.randint(1, 12)


def _change_size(random: Random, spec: Spec) -> None:
    sized = [field for _of, field in _fields(spec) if field["type"] in {"string", "binary", "decimal"}]
    if sized:
        field = random.choice(sized)
        field["default"] = field["minLength"] = None
        _resize(random, field)


def _change_values(random: Random, spec: Spec) -> None:
    enums = [field for _of, field in _fields(spec) if field["type"] == "enum"]
    if enums:
        field = random.choice(enums)
        field["default"] = None
        value = random.choice(field["enumValues"])
        if random.random() < 0.5:
            value["name"] = f"{value['name'][:20]} {random.randint(0, 99)}"
        else:
            field["enumValues"] = _values(random)


def _change_default(random: Random, spec: Spec) -> None:
    defaults = {
        "integer": 7,
        "boolean": True,
        "date": "2024-02-29",
        "uuid": "0" * 32,
        "float": 1.5,
        "bigint": 9,
    }
    fields = [field for _of, field in _fields(spec) if field["type"] in {*defaults, "datetime", "string"}]
    if fields:
        field = random.choice(fields)
        moment = random.choice(("now", "2024-01-01T00:00:00+08:00"))
        text = "100% a:b \\ 'q'"[: field["length"] or 1]
        field["default"] = {**defaults, "datetime": moment, "string": text}[field["type"]]


def _toggle(random: Random, spec: Spec) -> None:
    if fields := _fields(spec):
        name = random.choice(("required", "unique", "index"))
        field = random.choice(fields)[1]
        field[name] = not field[name]


def _add_relation(random: Random, spec: Spec) -> None:
    entity, target = random.choice(spec["dataModels"]), random.choice(spec["dataModels"])
    entity["relations"].append(
        {
            "id": f"n{random.randint(0, 10**9)}",
            "name": _fresh(random),
            "type": random.choice(("OneToOne", "OneToMany", "ManyToOne", "ManyToMany")),
            "target": target["id"],
            "inverseName": _fresh(random),
            "required": random.random() < 0.2,
        }
    )


def _remove_relation(random: Random, spec: Spec) -> None:
    if relations := _relations(spec):
        entity, relation = random.choice(relations)
        entity["relations"].remove(relation)


def _change_relation(random: Random, spec: Spec) -> None:
    if relations := _relations(spec):
        _of, relation = random.choice(relations)
        change: Callable[[], Spec] = random.choice(
            (
                lambda: {"type": random.choice(("OneToOne", "OneToMany", "ManyToOne", "ManyToMany"))},
                lambda: {"target": random.choice(spec["dataModels"])["id"]},
                lambda: {"name": _fresh(random)},
                lambda: {"inverseName": _fresh(random)},
                lambda: {"required": not relation["required"], "onDelete": None},
                lambda: {"onDelete": random.choice(("cascade", "restrict"))},
            )
        )
        relation |= change()


def _add_entity(random: Random, spec: Spec) -> None:
    identity = f"n{random.randint(0, 10**9)}"
    fields = [{"id": "a", "name": "title", "type": "string"}, {"id": "b", "name": "rank", "type": "integer"}]
    target = random.choice(spec["dataModels"])["id"]
    relations = [
        {"id": "r", "name": "parent", "type": "ManyToOne", "target": random.choice((target, identity))}
    ]
    spec["dataModels"].append(
        {"id": identity, "name": _fresh(random), "fields": fields, "relations": relations}
    )
    spec["dataModels"][:] = document(Blueprint.model_validate(spec))["dataModels"]


def _remove_entity(random: Random, spec: Spec) -> None:
    if len(spec["dataModels"]) > 1:
        spec["dataModels"].remove(random.choice(spec["dataModels"]))


def _change_constraints(random: Random, spec: Spec) -> None:
    _change_uniques(random, random.choice(spec["dataModels"]))


def _change_uniques(random: Random, entity: Spec) -> None:
    usable = [
        field["id"] for field in entity["fields"] if field["type"] in {"integer", "date", "boolean", "enum"}
    ]
    usable += [one["id"] for one in entity["relations"] if one["type"] == "ManyToOne"]
    chosen = random.sample(usable, min(len(usable), random.randint(0, 3)))
    entity["uniqueConstraints"] = [{"id": "_".join(chosen), "fields": chosen}] if len(chosen) > 1 else []


_MUTATIONS: tuple[Callable[[Random, Spec], None], ...] = (
    *(_rename_entity, _swap_entities, _rename_field, _rename_field, _swap_fields, _add_field, _add_field),
    *(_remove_field, _change_type, _change_type, _change_type, _change_size, _change_values, _change_default),
    *(_toggle, _toggle, _toggle, _add_relation, _remove_relation, _change_relation, _change_relation),
    *(_add_entity, _remove_entity, _change_constraints),
)
