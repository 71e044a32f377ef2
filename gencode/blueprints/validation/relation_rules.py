"""Relations lead somewhere, can be stored, and let a first record be made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from gencode.blueprints.findings import Finding, Fix, Severity
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.links import Link, declarations
from gencode.blueprints.model import Entity, Relation
from gencode.blueprints.rules import Rule
from gencode.blueprints.types import UNINDEXABLE, OnDelete, RelationType


def check(index: BlueprintIndex) -> Iterator[Finding]:
    for entity, relation in declarations(index.blueprint):
        path = f"dataModels/{entity.id}/relations/{relation.id}"
        if relation.target not in index.entities:
            yield dangling(path, "target", relation.target, Fix(remove=True))
        elif relation.type is RelationType.MANY_TO_MANY:
            yield from _collection(path, relation)
    for link in index.links:
        yield from _link(index, link)
    yield from _cycles(index)
    for entity in index.blueprint.data_models:
        yield from _unique_constraints(index, entity)


def dangling(path: str, property_name: str, target: str, fix: Fix | None = None) -> Finding:
    return Finding(
        element=path,
        rule=Rule.DANGLING_REFERENCE,
        parameters={"property": property_name, "id": target},
        fix=fix,
    )


def _collection(path: str, relation: Relation) -> Iterator[Finding]:
    for name, is_set in (("required", relation.required), ("onDelete", relation.on_delete is not None)):
        if is_set and not (name == "onDelete" and relation.on_delete is OnDelete.CASCADE):
            yield Finding(
                element=path,
                rule=Rule.COLLECTION_PROPERTY,
                severity=Severity.WARNING,
                parameters={"property": name, "type": relation.type},
                fix=Fix(changes={name: None}),
            )


def _link(index: BlueprintIndex, link: Link) -> Iterator[Finding]:
    path = f"dataModels/{link.declared_by}/relations/{link.relation.id}"
    if link.required and link.on_delete is OnDelete.SET_NULL:
        yield Finding(
            element=path,
            rule=Rule.ON_DELETE,
            parameters={"target": index.entities[link.target].name},
            fix=Fix(changes={"onDelete": "restrict"}),
        )
    if (
        link.type is RelationType.ONE_TO_ONE
        and link.other is not None
        and link.relation.owner
        and link.other.owner
    ):
        yield Finding(
            element=f"dataModels/{link.target}/relations/{link.other.id}",
            rule=Rule.TWO_OWNERS,
            severity=Severity.WARNING,
            fix=Fix(changes={"owner": False}),
        )


def _cycles(index: BlueprintIndex) -> Iterator[Finding]:
    """Each circle of required references once, at its last relation."""
    required: defaultdict[str, list[Link]] = defaultdict(list)
    for link in index.links:
        if link.required:
            required[link.source].append(link)
    finished: set[str] = set()
    for start in list(required):
        yield from _cycles_from(index, start, required, finished)


def _cycles_from(
    index: BlueprintIndex, start: str, required: Mapping[str, list[Link]], finished: set[str]
) -> Iterator[Finding]:
    """A depth-first search without recursion: a chain of entities may be long."""
    if start in finished:
        return
    trail: dict[str, Link | None] = {start: None}
    stack = [(start, iter(required.get(start, ())))]
    while stack:
        entity, links = stack[-1]
        link = next(links, None)
        if link is None:
            stack.pop()
            trail.pop(entity)
            finished.add(entity)
        elif link.target in trail:
            yield _cycle(index, [*trail][[*trail].index(link.target) :], link)
        elif link.target not in finished:
            trail[link.target] = link
            stack.append((link.target, iter(required.get(link.target, ()))))


def _cycle(index: BlueprintIndex, entities: list[str], last: Link) -> Finding:
    names = [index.entities[entity].name for entity in (*entities, last.target)]
    return Finding(
        element=f"dataModels/{last.declared_by}/relations/{last.relation.id}",
        rule=Rule.REQUIRED_CYCLE,
        parameters={"cycle": " -> ".join(names[:20])},
        fix=Fix(changes={"required": False}),
    )


def _unique_constraints(index: BlueprintIndex, entity: Entity) -> Iterator[Finding]:
    types = {field.id: field.type for field in entity.fields}
    references = {
        declared.id
        for link in index.references_of(entity.id)
        for declared in (link.relation, link.other)
        if declared is not None and declared in entity.relations
    }
    for constraint in entity.unique_constraints:
        path = f"dataModels/{entity.id}/uniqueConstraints/{constraint.id}"
        problems = {
            field: "it is there twice"
            if constraint.fields.count(field) > 1
            else _problem(field, types, references)
            for field in constraint.fields
        }
        for field, problem in problems.items():
            if problem:
                yield Finding(
                    element=path,
                    rule=Rule.UNIQUE_FIELDS,
                    parameters={"field": field, "name": entity.name, "problem": problem},
                    fix=Fix(remove=True),
                )


def _problem(field: str, types: Mapping[str, str], references: set[str]) -> str:
    if field in references:
        return ""
    if field not in types:
        return "it is neither a field nor a reference of the entity"
    return "its type cannot be indexed on MySQL" if types[field] in UNINDEXABLE else ""
