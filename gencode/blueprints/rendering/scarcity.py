"""Which entities can have only a few records, because a unique field has few values: their tests make no more
than can be, and use what is there.

Adds `is_scarce` and `factories` to the facts of each entity, and `is_scarce` to each collection.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from gencode.blueprints.rendering.python_facts import sample_count

FEW = 1000
"""Fewer values than this may be used up by tests and the records that they refer to."""
Facts = Mapping[str, Any]


def add_scarcity(entities: Iterable[dict[str, Any]]) -> None:
    scarce: set[str] = set()
    known = list(entities)
    while found := {
        one["module"] for one in known if one["module"] not in scarce and _is_scarce(one, scarce)
    }:
        scarce |= found
    for entity in known:
        entity["python"]["is_scarce"] = entity["module"] in scarce
        for collection in entity["collections"]:
            collection["is_scarce"] = bool({entity["module"], collection["target_module"]} & scarce)
        entity["python"]["factories"] = _factories(entity)


def _factories(entity: Facts) -> list[str]:
    """That the tests of an entity import."""
    own = entity["module"]
    others = (one["target_module"] for one in entity["collections"] if not one["is_scarce"])
    return sorted({f"make_{own}", f"body_of_{own}", *(f"make_{other}" for other in others)})


def _is_scarce(entity: Facts, scarce: set[str]) -> bool:
    fields = {field["name"]: sample_count(field) for field in entity["fields"]}
    references = {
        one["column"]: 1.0 if one["required"] and one["target_module"] in scarce else math.inf
        for one in entity["references"]
    }
    counts = {**fields, **references}
    unique = [[one["name"]] for one in entity["fields"] if one["unique"]]
    unique += [[one["column"]] for one in entity["references"] if one["unique"]]
    unique += [one["columns"] for one in entity["uniques"]]
    return any(math.prod(counts[column] for column in columns) < FEW for columns in unique)
