"""Names of entities and of the attributes of their classes: form, reserved words, collisions."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from pydantic import JsonValue

from gencode.blueprints import reserved_words
from gencode.blueprints.findings import Finding, Fix, Severity
from gencode.blueprints.identifiers import is_identifier, pascal, proposed, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.links import Link
from gencode.blueprints.model import Element, Entity, EntityField
from gencode.blueprints.rules import Rule
from gencode.blueprints.types import RelationType
from gencode.blueprints.validation.names import MakeFix, identifier_finding, reserved, sql_word

_NO_ATTRIBUTE = frozenset().union(
    *reserved_words.FIELD_WORDS.values(), reserved_words.ENGINE_FIELDS, reserved_words.BUILT_IN_NAMES
)
_WORDS = {**reserved_words.FIELD_WORDS, "Python (a type)": reserved_words.BUILT_IN_NAMES}
_CLASSES = frozenset().union(*reserved_words.CLASS_NAMES.values())


def check(index: BlueprintIndex) -> Iterator[Finding]:
    yield from _entity_names(index)
    for entity in index.blueprint.data_models:
        yield from _attribute_names(index, entity)


def _entity_names(index: BlueprintIndex) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    derived = {
        f"{pascal(entity.name)}{suffix}".lower(): f"dataModels/{entity.id}"
        for entity in index.blueprint.data_models
        for suffix in _DERIVED_CLASSES
    }
    for entity in index.blueprint.data_models:
        path, key = f"dataModels/{entity.id}", pascal(entity.name)
        if not is_identifier(entity.name) or not key[:1].isalpha():
            yield identifier_finding(path, entity, partial(_class_proposal, taken=ChainMap(taken, derived)))
            continue
        fix = partial(_renamed_entity, entity, ChainMap(taken, derived))
        if key.lower() in taken or key.lower() in derived:
            yield _duplicate(path, entity.name, taken.get(key.lower()) or derived[key.lower()], fix())
        taken[key.lower()] = path
        yield from reserved(path, key, reserved_words.CLASS_NAMES, Rule.CLASS_NAME, fix)
        yield from reserved(path, snake(entity.name), _MODULE_WORDS, Rule.RESERVED_WORD, fix)
        if not entity.fields and not entity.relations and entity.id not in index.links_to:
            yield Finding(
                element=path,
                rule=Rule.EMPTY_ENTITY,
                severity=Severity.WARNING,
                parameters={"name": entity.name},
            )


_DERIVED_CLASSES = ("Input", "Output")
"""Suffixes of the classes that are generated for an entity."""
_MODULE_WORDS: Mapping[str, frozenset[str]] = {
    "the generated code": reserved_words.GENERATED_MODULES,
    "Python": frozenset(
        word for word in reserved_words.PYTHON if word not in {"print", "match", "case", "type"}
    ),
}
"""Each entity is a module of Python by its name in snake_case."""


def _is_module_word(name: str) -> bool:
    return any(snake(name) in words for words in _MODULE_WORDS.values())


def _renamed_entity(entity: Entity, taken: Mapping[str, str]) -> Fix:
    """People go on to see the name, as the label."""
    label: dict[str, JsonValue] = {} if entity.label else {"label": entity.name}
    return Fix(changes={"name": _class_proposal(entity.name, taken), **label})


def _class_proposal(text: str, taken: Mapping[str, str]) -> str:
    name = pascal(proposed(text, suffix="item")) or "Item"
    number, candidate = 2, name
    while candidate in _CLASSES or candidate.lower() in taken or _is_module_word(candidate):
        suffix = "Entry" if name.endswith("Item") else "Item"
        candidate = f"{name}{suffix}" if number == 2 else f"{name}{number}"
        number += 1
    return candidate


def _attribute_names(index: BlueprintIndex, entity: Entity) -> Iterator[Finding]:
    """Fields, the ends of relations, and the columns of references share one class."""
    taken: dict[str, str] = {}
    for field in entity.fields:
        path = f"dataModels/{entity.id}/fields/{field.id}"
        yield from _element_name(path, field, taken)
    for link in index.links_from.get(entity.id, []):
        yield from _end_name(index, link, taken, inverse=False)
    for link in index.links_to.get(entity.id, []):
        if link.inverse_name:
            yield from _end_name(index, link, taken, inverse=True)


def _element_name(path: str, element: EntityField, taken: dict[str, str]) -> Iterator[Finding]:
    key = snake(element.name)
    if not is_identifier(element.name) or not key[:1].isalpha():
        yield identifier_finding(path, element, lambda text: _attribute_proposal(text, taken))
        return
    fix = partial(_renamed, _attribute_proposal, element.name, taken)
    is_engines = key in reserved_words.ENGINE_FIELDS
    yield from _attribute(path, key, taken, _removed if is_engines else fix)
    if key not in _NO_ATTRIBUTE:
        yield from sql_word(path, key, partial(_renamed, _attribute_proposal, f"{key}_value", taken))


def _renamed(
    propose: Callable[[str, Mapping[str, str]], str], text: str, taken: Mapping[str, str], name: str = "name"
) -> Fix:
    return Fix(changes={name: propose(text, taken)})


def _removed() -> Fix:
    return Fix(remove=True)


def _end_name(
    index: BlueprintIndex, link: Link, taken: dict[str, str], *, inverse: bool
) -> Iterator[Finding]:
    path = f"dataModels/{link.declared_by}/relations/{link.relation.id}"
    declared = link.inverse_name if inverse else link.name
    name = index.inverse_attribute(link) if inverse else index.attribute(link)
    property_name = "inverseName" if inverse is link.is_declared_at_source else "name"
    fix = partial(_renamed, _attribute_proposal, declared or name, taken, property_name)
    if declared and (not is_identifier(declared) or not name[:1].isalpha()):
        yield _bad_end(path, link.relation, declared, property_name, taken)
        return
    yield from _attribute(path, name, taken, fix)
    if link.type is RelationType.MANY_TO_MANY:
        yield from _attribute(path, f"{name}_ids", taken, fix)
    elif not inverse:
        yield from _attribute(path, index.column(link), taken, fix)


def _bad_end(
    path: str, element: Element, declared: str, property_name: str, taken: Mapping[str, str]
) -> Finding:
    finding = identifier_finding(path, element, lambda text: _attribute_proposal(text, taken))
    changes = {property_name: _attribute_proposal(declared, taken)}
    label = "label" if property_name == "name" else "inverseLabel"
    return finding.model_copy(
        update={
            "parameters": {**finding.parameters, "name": declared},
            "fix": Fix(changes={**changes, label: declared}),
        }
    )


def _attribute(path: str, key: str, taken: dict[str, str], fix: MakeFix) -> Iterator[Finding]:
    if key in taken:
        yield _duplicate(path, key, taken[key], fix())
    elif key in reserved_words.ENGINE_FIELDS:
        yield _duplicate(path, key, f"records/{key}", fix())
    if key in _NO_ATTRIBUTE:
        yield from reserved(path, key, _WORDS, Rule.RESERVED_WORD, fix)
    if key.startswith("model_"):
        yield Finding(
            element=path,
            rule=Rule.RESERVED_WORD,
            parameters={"name": key, "language": "pydantic"},
            fix=fix(),
        )
    taken.setdefault(key, path)


def _attribute_proposal(text: str, taken: Mapping[str, str]) -> str:
    name = proposed(text, taken=taken, reserved=_NO_ATTRIBUTE, suffix="value")
    return name if not name.startswith("model_") else f"the_{name}"


def _duplicate(path: str, name: str, other: str, fix: Fix) -> Finding:
    return Finding(element=path, rule=Rule.DUPLICATE_NAME, parameters={"name": name, "other": other}, fix=fix)
