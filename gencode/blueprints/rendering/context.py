"""What templates see: the blueprint as plain JSON values, with all names decided.

The templates of a stack decide how a fact is written: `field.type` and `field.length` become `String(255)`.
Official and uploaded templates see the same.
"""

from __future__ import annotations

from keyword import iskeyword
from typing import Any

from gencode.blueprints.default_pages import with_default_pages
from gencode.blueprints.identifiers import kebab, snake
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.language import language_of
from gencode.blueprints.links import Link
from gencode.blueprints.model import Blueprint, BusinessFlow, Entity, EntityField
from gencode.blueprints.rendering.calls import api_contexts, call_contexts
from gencode.blueprints.rendering.database_names import constraint_name
from gencode.blueprints.rendering.page_context import page_contexts
from gencode.blueprints.rendering.python_facts import add_python_facts
from gencode.blueprints.rendering.scarcity import add_scarcity
from gencode.blueprints.rendering.table_order import deferred_references, table_order
from gencode.blueprints.rendering.typescript_facts import add_typescript_facts
from gencode.blueprints.stack import Stack
from gencode.blueprints.types import FieldType, RelationType


def project_context(blueprint: Blueprint, stack: Stack) -> dict[str, Any]:
    """The blueprint must be valid: names that are no identifiers would reach paths and code."""
    index = BlueprintIndex(with_default_pages(blueprint))
    deferred = deferred_references(index)
    name = snake(blueprint.project_name) or "application"
    entities = {entity.id: _entity(index, entity, deferred) for entity in blueprint.data_models}
    apis = api_contexts(index)
    calls = call_contexts(apis, entities)
    context = {
        "project": {
            "name": name,
            "slug": kebab(name),
            "title": blueprint.label or blueprint.project_name or "Application",
            "description": blueprint.description,
            "type": blueprint.project_type,
            "language": language_of(blueprint),
        },
        "stack": stack.model_dump(mode="json"),
        "entities": list(entities.values()),
        "tables": [entities[entity_id] for entity_id in table_order(index)],
        "join_tables": [_join_table(index, link) for link in index.join_links],
        "pages": page_contexts(index, entities, calls),
        "apis": apis,
        "calls": calls,
        "flows": [_flow(index, flow) for flow in blueprint.business_flows],
    }
    add_python_facts(context)
    add_scarcity(entities.values())
    add_typescript_facts(context)
    return context


def _entity(index: BlueprintIndex, entity: Entity, deferred: set[int]) -> dict[str, Any]:
    table = index.table(entity.id)
    references = [_reference(index, link, deferred) for link in index.references_of(entity.id)]
    collections = [
        *(_collection(index, link, is_inverse=False) for link in index.links_from.get(entity.id, [])
          if link.type is RelationType.MANY_TO_MANY),
        *(_collection(index, link, is_inverse=True) for link in index.links_to.get(entity.id, [])
          if link.type is RelationType.MANY_TO_MANY and link.inverse_name),
    ]  # fmt: skip
    inverses = [
        _inverse(index, link)
        for link in index.links_to.get(entity.id, [])
        if link.type is not RelationType.MANY_TO_MANY and link.inverse_name
    ]
    return {
        "id": entity.id,
        "name": index.class_name(entity.id),
        "module": snake(entity.name),
        "table": table,
        "route": kebab(table),
        "label": entity.shown_name,
        "description": entity.description,
        "fields": [_field(table, field) for field in entity.fields],
        "references": references,
        "collections": collections,
        "inverses": inverses,
        "uniques": _uniques(index, entity),
        "title": _title_column(entity),
    }


def _field(table: str, field: EntityField) -> dict[str, Any]:
    name = snake(field.name)
    precision, scale = field.column_digits if field.type is FieldType.DECIMAL else (None, None)
    return {
        "id": field.id,
        "name": name,
        "label": field.shown_name,
        "description": field.description,
        "type": field.type.value,
        "length": field.column_length,
        "precision": precision,
        "scale": scale,
        "values": [value.name for value in field.enum_values],
        "labels": [value.label or value.name for value in field.enum_values],
        "check": constraint_name("ck", table, name) if field.type is FieldType.ENUM else "",
        "default": field.default,
        "required": field.required,
        "unique": constraint_name("uq", table, name) if field.unique else "",
        "index": constraint_name("ix", table, name) if field.index and not field.unique else "",
        "minimum": _number(field.minimum),
        "maximum": _number(field.maximum),
        "min_length": field.least_length,
    }


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value


def _reference(index: BlueprintIndex, link: Link, deferred: set[int]) -> dict[str, Any]:
    """A column that refers to another table."""
    table, column = index.table(link.source), index.column(link)
    is_unique = link.type is RelationType.ONE_TO_ONE
    return {
        "id": link.relation.id,
        "key": link_key(link),
        "name": index.attribute(link),
        "column": column,
        "label": _label(link, index, is_inverse=False),
        "target": index.class_name(link.target),
        "target_module": snake(index.entities[link.target].name),
        "target_table": index.table(link.target),
        "target_route": kebab(index.table(link.target)),
        "inverse": index.inverse_attribute(link),
        "required": link.required,
        "unique": constraint_name("uq", table, column) if is_unique else "",
        "index": "" if is_unique else constraint_name("ix", table, column),
        "foreign_key": constraint_name("fk", table, column),
        "on_delete": link.on_delete.value,
        "on_delete_sql": link.on_delete.sql,
        "is_self": link.is_self,
        "deferred": id(link) in deferred,
    }


def link_key(link: Link) -> str:
    """Where the relation is declared: unique in the blueprint, unchanged while it is renamed."""
    return f"{link.declared_by}/relations/{link.relation.id}"


def _inverse(index: BlueprintIndex, link: Link) -> dict[str, Any]:
    """The other end of a reference: rows that refer to this entity."""
    return {
        "name": index.inverse_attribute(link),
        "label": _label(link, index, is_inverse=True),
        "source": index.class_name(link.source),
        "source_module": snake(index.entities[link.source].name),
        "attribute": index.attribute(link),
        "column": index.column(link),
        "is_list": link.type is RelationType.MANY_TO_ONE,
        "is_self": link.is_self,
    }


def _collection(index: BlueprintIndex, link: Link, *, is_inverse: bool) -> dict[str, Any]:
    """One end of a ManyToMany."""
    near, far = index.join_columns(link)
    name = index.inverse_attribute(link) if is_inverse else index.attribute(link)
    other = index.attribute(link) if is_inverse else index.inverse_attribute(link)
    target = link.source if is_inverse else link.target
    return {
        "id": link.relation.id,
        "name": name,
        "ids": f"{name}_ids",
        "label": _label(link, index, is_inverse=is_inverse),
        "target": index.class_name(target),
        "target_module": snake(index.entities[target].name),
        "target_route": kebab(index.table(target)),
        "inverse": other,
        "join_table": index.join_table(link),
        "join_variable": _variable(index.join_table(link)),
        "near_column": far if is_inverse else near,
        "far_column": near if is_inverse else far,
        "is_self": link.is_self,
    }


def _join_table(index: BlueprintIndex, link: Link) -> dict[str, Any]:
    table = index.join_table(link)
    columns = []
    for column, entity_id in zip(index.join_columns(link), (link.source, link.target), strict=True):
        columns.append(
            {
                "name": column,
                "target_table": index.table(entity_id),
                "foreign_key": constraint_name("fk", table, column),
            }
        )
    return {
        "key": link_key(link),
        "table": table,
        "variable": _variable(table),
        "columns": columns,
        "index": constraint_name("ix", table, columns[1]["name"]),
        "primary_key": constraint_name("pk", table),
    }


def _variable(table: str) -> str:
    """A name for a table in Python. No other one ends with an underscore."""
    name = snake(table)
    return f"{name}_" if iskeyword(name) else name


def _label(link: Link, index: BlueprintIndex, *, is_inverse: bool) -> str:
    declared = link.relation.name == link.inverse_name if is_inverse else link.relation.name == link.name
    if declared:
        label = link.relation.label
    else:
        label = link.relation.inverse_label or (link.other.label if link.other is not None else "")
    target = index.entities[link.source if is_inverse else link.target]
    return label or (link.inverse_name if is_inverse else link.name) or target.shown_name


def _uniques(index: BlueprintIndex, entity: Entity) -> list[dict[str, Any]]:
    columns = {field.id: snake(field.name) for field in entity.fields}
    for link in index.references_of(entity.id):
        declared = [one for one in (link.relation, link.other) if one is not None and one in entity.relations]
        columns.update({one.id: index.column(link) for one in declared})
    table = index.table(entity.id)
    uniques = []
    for constraint in entity.unique_constraints:
        names = [columns[field] for field in constraint.fields]
        uniques.append({"id": constraint.id, "name": constraint_name("uq", table, *names), "columns": names})
    return uniques


def _title_column(entity: Entity) -> str:
    """The column that tells people which record it is."""
    texts = [field for field in entity.fields if field.type is FieldType.STRING]
    preferred = [field for field in texts if snake(field.name) in {"name", "title", "label", "code"}]
    chosen = [*preferred, *(field for field in texts if field.required), *texts]
    return snake(chosen[0].name) if chosen else "id"


def _flow(index: BlueprintIndex, flow: BusinessFlow) -> dict[str, Any]:
    entity = index.entities.get(flow.entity or "")
    return {
        "id": flow.id,
        "name": snake(flow.name),
        "label": flow.shown_name,
        "description": flow.description,
        "steps": [step.text for step in flow.steps],
        "entity": index.class_name(entity.id) if entity else "",
        "entity_module": snake(entity.name) if entity else "",
    }
