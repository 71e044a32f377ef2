"""Pages: their paths, the tree of their components, bindings and events."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

from pydantic import JsonValue

from gencode.blueprints.components import BOUND_TYPES, COMPONENT_TYPES
from gencode.blueprints.findings import Finding, Fix, Severity
from gencode.blueprints.identifiers import is_identifier, kebab, pascal, proposed, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import MAX_COMPONENTS, MAX_DEPTH, Component, ComponentEvent, Entity, Page
from gencode.blueprints.rules import Rule
from gencode.blueprints.validation.identity_rules import components_of
from gencode.blueprints.validation.names import identifier_finding
from gencode.blueprints.validation.relation_rules import dangling

_PATH = re.compile(r"/(?:(?::?[A-Za-z0-9][A-Za-z0-9_.-]*)(?:/:?[A-Za-z0-9][A-Za-z0-9_.-]*)*)?\Z")
_PARAMETER = re.compile(r":[A-Za-z0-9_.-]+")


def check(index: BlueprintIndex) -> Iterator[Finding]:
    names: dict[str, str] = {}
    paths: dict[str, str] = {}
    for page in index.blueprint.pages:
        path = f"pages/{page.id}"
        yield from _name(path, page, names)
        yield from _path(path, page, paths)
        yield from _tree(path, page)
        for component in components_of(page):
            yield from _component(index, f"{path}/components/{component.id}", component)


def _name(path: str, page: Page, taken: dict[str, str]) -> Iterator[Finding]:
    def propose(text: str) -> str:
        return pascal(proposed(text, taken={snake(name) for name in taken}, suffix="page"))

    key = pascal(page.name)
    if not is_identifier(page.name) or not key[:1].isalpha():
        yield identifier_finding(path, page, propose)
        return
    if key.lower() in taken:
        yield Finding(
            element=path,
            rule=Rule.DUPLICATE_NAME,
            parameters={"name": page.name, "other": taken[key.lower()]},
            fix=Fix(changes={"name": propose(f"{page.name}_page")}),
        )
    taken.setdefault(key.lower(), path)


def _path(path: str, page: Page, taken: dict[str, str]) -> Iterator[Finding]:
    if not _PATH.match(page.path):
        yield Finding(
            element=path,
            rule=Rule.PATH_FORM,
            parameters={"path": page.path or '""', "example": ":id"},
            fix=Fix(changes={"path": _free_path(kebab(page.name) or "page", taken)}),
        )
        return
    key = _PARAMETER.sub(":", page.path).rstrip("/").lower()
    if key in taken:
        yield Finding(
            element=path,
            rule=Rule.DUPLICATE_PATH,
            parameters={"path": page.path, "other": taken[key]},
            fix=Fix(changes={"path": _free_path(kebab(page.name) or "page", taken)}),
        )
    taken.setdefault(key, path)


def _free_path(name: str, taken: dict[str, str]) -> str:
    candidate, number = f"/{name}", 2
    while candidate in taken:
        candidate, number = f"/{name}-{number}", number + 1
    return candidate


def _tree(path: str, page: Page) -> Iterator[Finding]:
    if _depth(page.components) > MAX_DEPTH:
        flatter = [_flatter(component, 1) for component in page.components]
        yield Finding(
            element=path,
            rule=Rule.COMPONENT_DEPTH,
            parameters={"most": str(MAX_DEPTH)},
            fix=Fix(changes={"components": flatter}),
        )
    if sum(1 for _ in components_of(page)) > MAX_COMPONENTS:
        yield Finding(
            element=path,
            rule=Rule.COMPONENT_COUNT,
            parameters={"most": str(MAX_COMPONENTS)},
            fix=Fix(changes={"components": _first(page.components, [MAX_COMPONENTS])}),
        )


def _document(component: Component) -> dict[str, JsonValue]:
    """Without children."""
    return component.model_copy(update={"children": []}).model_dump(mode="json", by_alias=True)


def _flatter(component: Component, depth: int) -> JsonValue:
    """What is too deep stands at the last level that is possible."""
    if depth < MAX_DEPTH:
        return _document(component) | {"children": [_flatter(one, depth + 1) for one in component.children]}
    return _document(component)


def _first(components: Sequence[Component], budget: list[int]) -> list[JsonValue]:
    """As many components as the budget holds, a parent before its children."""
    kept: list[JsonValue] = []
    for component in components:
        if budget[0] > 0:
            budget[0] -= 1
            kept.append(_document(component) | {"children": _first(component.children, budget)})
    return kept


def _depth(components: Sequence[Component]) -> int:
    depth, level = 0, list(components)
    while level:
        depth, level = depth + 1, [child for component in level for child in component.children]
    return depth


def _component(index: BlueprintIndex, path: str, component: Component) -> Iterator[Finding]:
    if component.type not in COMPONENT_TYPES:
        yield Finding(
            element=path,
            rule=Rule.COMPONENT_TYPE,
            severity=Severity.WARNING,
            parameters={"type": component.type},
            fix=Fix(changes={"type": "container"}),
        )
    if component.type in BOUND_TYPES and component.data_binding is None:
        yield Finding(
            element=path, rule=Rule.NO_BINDING, parameters={"type": component.type}, fix=Fix(remove=True)
        )
    yield from _binding(index, path, component)
    for event in component.events:
        yield from _event(index, path, component, event)


def _binding(index: BlueprintIndex, path: str, component: Component) -> Iterator[Finding]:
    binding = component.data_binding
    if binding is None:
        return
    entity = index.entities.get(binding.entity)
    if entity is None:
        yield dangling(path, "dataBinding.entity", binding.entity, Fix(remove=True))
        return
    known = _bindable(index, entity)
    missing = [field for field in binding.fields if field not in known]
    if missing:
        kept = [field for field in binding.fields if field in known]
        fixed = binding.model_copy(update={"fields": kept}).model_dump(mode="json", by_alias=True)
        yield dangling(
            path, "dataBinding.fields", ", ".join(missing[:5]), Fix(changes={"dataBinding": fixed})
        )


def _bindable(index: BlueprintIndex, entity: Entity) -> set[str]:
    """Ids of the fields and relations of an entity, and the names of the ends that other entities declare."""
    names = {link.name for link in index.links_from.get(entity.id, [])}
    inverse = {link.inverse_name for link in index.links_to.get(entity.id, [])}
    relations = {one.id for one in entity.relations}
    return {"id", *(field.id for field in entity.fields), *relations, *((names | inverse) - {""})}


def _event(
    index: BlueprintIndex, path: str, component: Component, event: ComponentEvent
) -> Iterator[Finding]:
    targets = _targets(index, event)
    if len(targets) != 1:
        yield Finding(element=path, rule=Rule.EVENT_TARGET, fix=_with_sound_events(index, component))
    for name, (target, is_known) in targets.items():
        if not is_known:
            yield dangling(path, f"events.{name}", target, _with_sound_events(index, component))


def _targets(index: BlueprintIndex, event: ComponentEvent) -> dict[str, tuple[str, bool]]:
    """What an event opens or calls, with whether it is there."""
    named: dict[str, tuple[str | None, Container[str]]] = {
        "page": (event.page, index.pages),
        "api": (event.api, index.apis),
        "flow": (event.flow, index.flows),
    }
    return {name: (target, target in known) for name, (target, known) in named.items() if target is not None}


def _with_sound_events(index: BlueprintIndex, component: Component) -> Fix:
    """Each event with the first of its targets that is there; without the events that have none."""
    events: list[JsonValue] = []
    for event in component.events:
        known = (name for name, (_, is_known) in _targets(index, event).items() if is_known)
        if (name := next(known, None)) is not None:
            events.append({"on": event.on, name: getattr(event, name)})
    return Fix(changes={"events": events})
