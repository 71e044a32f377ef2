"""Puts what a model says into a blueprint: an empty one, or the one that it changes.

What is there keeps its id, and what is not said about it. Only what is named for removal is removed; the
components of a page are replaced as a whole, and those with the same id or name keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from gencode.blueprints.comparison.compare import document
from gencode.blueprints.drafting.element_forms import Form
from gencode.blueprints.drafting.entries import Entry, EntryKind
from gencode.blueprints.drafting.matching import Names, free_id, matching
from gencode.blueprints.drafting.resolution import resolved_blueprint
from gencode.blueprints.drafting.texts import identifier
from gencode.blueprints.drafting.words import kind_named, property_named
from gencode.blueprints.model import MAX_COMPONENTS, MAX_FIELDS, Blueprint

LISTS = {
    EntryKind.ENTITY: "dataModels",
    EntryKind.PAGE: "pages",
    EntryKind.API: "apis",
    EntryKind.FLOW: "businessFlows",
}
MOST = {"dataModels": 500, "pages": 500, "apis": 500, "businessFlows": 500}
"""Elements of a blueprint that a model makes."""
_MEMBERS = ("fields", "relations", "uniqueConstraints")
NEW = "\x00new"
"""Marks an element that was not in the base."""


class Assembly:
    """An entry about an element that is said later waits until the end."""

    def __init__(self, base: Blueprint) -> None:
        self._document: Form = document(base)
        self._waiting: list[Entry] = []

    def add(self, entry: Entry) -> None:
        if not self._place(entry):
            self._waiting.append(entry)

    @property
    def left_out(self) -> int:
        """Entries that have no place: their element was never said, or there is room for no more."""
        return len(self._waiting)

    def _place(self, entry: Entry) -> bool:
        is_placed = True
        values: Form = deepcopy(entry.values)
        if entry.kind is EntryKind.APPLICATION:
            self._document |= values
        elif entry.kind in LISTS:
            is_placed = self._add_element(LISTS[entry.kind], values)
        elif entry.kind in (EntryKind.FIELD, EntryKind.RELATION):
            is_placed = self._add_member(entry, values)
        else:
            is_placed = self._operate(entry)
        return is_placed

    def blueprint(self) -> Blueprint:
        self._waiting = [entry for entry in self._waiting if not self._place(entry)]
        return resolved_blueprint(self._document, NEW)

    def _add_element(self, name: str, values: Form) -> bool:
        siblings: list[Form] = self._document[name]
        there = matching(siblings, values)
        if there is None:
            if len(siblings) >= MOST[name]:
                return False
            there = _new(values, siblings, is_class=name in ("dataModels", "pages"))
            siblings.append(there)
        _merge(there, values)
        return True

    def _add_member(self, entry: Entry, values: Form) -> bool:
        entity = self._element(LISTS[EntryKind.ENTITY], entry.parent)
        if entity is not None:
            _merge_members(entity, f"{entry.kind.value}s", [values])
        return entity is not None

    def _element(self, name: str, word: str) -> Form | None:
        siblings: list[Form] = self._document.get(name, [])
        identity = Names(siblings).find(word)
        return next((one for one in siblings if one["id"] == identity), None)

    def _operate(self, entry: Entry) -> bool:
        """A removal or a renaming."""
        parts = entry.element.split("/")
        holder: Form = self._document
        for depth in range(0, len(parts) - 1, 2):
            siblings = holder.get(_list_named(parts[depth]))
            found = _within(siblings, parts[depth + 1]) if isinstance(siblings, list) else None
            if found is None:
                return False
            if depth + 2 < len(parts) - 1:
                holder = found[0][found[1]]
                continue
            if entry.kind is EntryKind.REMOVE:
                self._remove(parts[depth], found[0].pop(found[1]))
            else:
                _rename(found[0][found[1]], dict(entry.values))
            return True
        return False

    def _remove(self, list_word: str, element: Form) -> None:
        """Relations to an entity that is removed go with it."""
        if _list_named(list_word) == "dataModels":
            for entity in self._document["dataModels"]:
                entity["relations"] = [
                    one for one in entity.get("relations", []) if one.get("target") != element["id"]
                ]


def _list_named(word: str) -> str:
    known = {kind.value: name for kind, name in LISTS.items()} | {"field": "fields", "relation": "relations"}
    return known.get(kind_named(word)) or property_named(word)


def _within(siblings: list[Form], word: str) -> tuple[list[Form], int] | None:
    """Components are found at any depth."""
    identity = Names(siblings).find(word)
    for position, one in enumerate(siblings):
        if one.get("id") == identity:
            return siblings, position
    for one in siblings:
        if isinstance(children := one.get("children"), list) and (found := _within(children, word)):
            return found
    return None


def _rename(element: Form, values: Form) -> None:
    if name := values.get("name"):
        element["name"] = identifier(str(name))
    if label := values.get("label"):
        element["label"] = label


def _new(values: Form, siblings: list[Form], *, is_class: bool = False) -> Form:
    name = str(values.get("name") or identifier(str(values.get("id", "")), is_class=is_class))
    wanted = str(values.get("id") or name)
    return {"id": free_id(wanted, (str(one.get("id")) for one in siblings)), "name": name, NEW: True}


def _merge(there: Form, values: Form) -> None:
    """An element is renamed by a name beside its own id only: else the name is how it was found."""
    values.pop("removeFields", None) if NEW in there else _remove_fields(there, values)
    members = {
        name: values.pop(name) for name in ("fields", "relations", "uniqueConstraints") if name in values
    }
    if "id" not in values or values["id"] != there["id"]:
        values.pop("name", None)
    values.pop("id", None)
    if "components" in values:
        values["components"] = _kept_components(there.get("components", []), values["components"])
    there |= values
    for name, said in members.items():
        _merge_members(there, name, said)


def _remove_fields(there: Form, values: Form) -> None:
    for word in values.pop("removeFields", []):
        for name in ("fields", "relations"):
            siblings = there.get(name, [])
            if (found := _within(siblings, word)) is not None:
                found[0].pop(found[1])
                break


def _merge_members(entity: Form, name: str, said: list[Form]) -> None:
    siblings: list[Form] = entity.setdefault(name, [])
    if name == "uniqueConstraints":
        known = [one["fields"] for one in siblings]
        siblings.extend({"fields": one["fields"], NEW: True} for one in said if one["fields"] not in known)
        return
    for values in said:
        there = matching(siblings, values) or _same_target(name, siblings, values)
        if there is None:
            if len(siblings) >= MAX_FIELDS or ("name" not in values and name == "fields"):
                continue
            others = [*entity.get("fields", []), *entity.get("relations", [])]
            there = _new(values, others) if "name" in values else {NEW: True}
            siblings.append(there)
        if values.get("id") != there.get("id"):
            values.pop("name", None) if "name" in there else None
        there |= {key: value for key, value in values.items() if key != "id"}


def _same_target(name: str, siblings: list[Form], values: Form) -> Form | None:
    """A relation that is said without a name, twice."""
    if name != "relations" or "name" in values:
        return None
    about = (values.get("target"), values.get("type"))
    return next((one for one in siblings if (one.get("target"), one.get("type")) == about), None)


def _kept_components(there: list[Form], said: list[Form]) -> list[Form]:
    """Those that are said, with the ids, and what is not said, of those that are there."""
    known = list(_flat(there))
    budget = [MAX_COMPONENTS]
    return list(_components(known, said, budget))


def _components(known: list[Form], said: list[Form], budget: list[int]) -> Iterator[Form]:
    for values in said:
        if budget[0] <= 0:
            return
        budget[0] -= 1
        old = matching(known, values)
        kept: Form = {}
        if old is not None:
            known.remove(old)
            kept = {name: value for name, value in old.items() if name != "children"}
        children = list(_components(known, values.get("children", []), budget))
        element: Form = {**kept, **values, **({"id": kept["id"]} if kept else {})}
        yield element | ({"children": children} if children else {})


def _flat(components: list[Form]) -> Iterator[Any]:
    for one in components:
        yield one
        yield from _flat(one.get("children", []))
