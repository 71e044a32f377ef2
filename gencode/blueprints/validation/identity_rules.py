"""Ids are unique among siblings; else a reference would name two elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gencode.blueprints.findings import Finding, Fix
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Component, Element, EntityField, Page, Relation, UniqueConstraint
from gencode.blueprints.rules import Rule


def check(index: BlueprintIndex) -> Iterator[Finding]:
    blueprint = index.blueprint
    yield from _duplicates("dataModels", blueprint.data_models)
    yield from _duplicates("pages", blueprint.pages)
    yield from _duplicates("apis", blueprint.apis)
    yield from _duplicates("businessFlows", blueprint.business_flows)
    for entity in blueprint.data_models:
        path = f"dataModels/{entity.id}"
        yield from _duplicates(path, [*entity.fields, *entity.relations])
        yield from _duplicates(f"{path}/uniqueConstraints", entity.unique_constraints)
    for page in blueprint.pages:
        yield from _duplicates(f"pages/{page.id}/components", list(components_of(page)))


def components_of(page: Page) -> Iterator[Component]:
    """The components of a page at all depths, a parent before its children."""
    stack = list(reversed(page.components))
    while stack:
        component = stack.pop()
        yield component
        stack.extend(reversed(component.children))


def _duplicates(path: str, elements: Sequence[Element | UniqueConstraint]) -> Iterator[Finding]:
    """`path`: of the list; of the entity for its fields and relations, which are siblings."""
    seen = {element.id for element in elements}
    if len(seen) == len(elements):
        return
    met: set[str] = set()
    for element in elements:
        if element.id in met:
            kind = {EntityField: "fields/", Relation: "relations/"}.get(type(element), "")
            yield Finding(
                element=f"{path}/{kind}{element.id}",
                rule=Rule.DUPLICATE_ID,
                parameters={"id": element.id},
                fix=Fix(changes={"id": _free(element.id, seen)}),
            )
        met.add(element.id)


def _free(identity: str, taken: set[str]) -> str:
    number = 2
    while (candidate := f"{identity[:190]}_{number}") in taken:
        number += 1
    taken.add(candidate)
    return candidate
