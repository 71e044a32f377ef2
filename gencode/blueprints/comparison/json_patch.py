"""The difference of two blueprints as a JSON Patch (RFC 6902).

Elements are found by id, so the patch moves and changes them where they are. Its pointers are positions, each
in the document that the operations before it have made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gencode.blueprints.comparison.compare import document, is_element_list
from gencode.blueprints.model import Blueprint

PatchOperation = dict[str, Any]


def json_patch(old: Blueprint, new: Blueprint) -> list[PatchOperation]:
    return list(_objects("", document(old), document(new)))


def _objects(pointer: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[PatchOperation]:
    for name in old:
        if name not in new:
            yield {"op": "remove", "path": f"{pointer}/{_escaped(name)}"}
    for name, value in new.items():
        path = f"{pointer}/{_escaped(name)}"
        if name not in old:
            yield {"op": "add", "path": path, "value": value}
        elif old[name] == value:
            continue
        elif is_element_list(name, old[name], value):
            yield from _lists(path, old[name], value)
        else:
            yield {"op": "replace", "path": path, "value": value}


def _lists(pointer: str, old: list[Any], new: list[Any]) -> Iterator[PatchOperation]:
    """Removals from the end, then each place of the new list from the start: added, or moved here."""
    wanted = {element["id"] for element in new}
    for position in reversed(range(len(old))):
        if old[position]["id"] not in wanted:
            yield {"op": "remove", "path": f"{pointer}/{position}"}
    present = [element for element in old if element["id"] in wanted]
    for position, element in enumerate(new):
        path = f"{pointer}/{position}"
        if position < len(present) and present[position]["id"] == element["id"]:
            continue
        found = next((at for at in range(position, len(present)) if present[at]["id"] == element["id"]), None)
        if found is None:
            yield {"op": "add", "path": path, "value": element}
            present.insert(position, element)
        else:
            yield {"op": "move", "from": f"{pointer}/{found}", "path": path}
            present.insert(position, present.pop(found))
    for position, element in enumerate(new):
        yield from _objects(f"{pointer}/{position}", present[position], element)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
