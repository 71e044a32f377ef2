"""Blueprints: what an application consists of, as values.

    blueprint = Blueprint.model_validate(spec)
    findings = validate(blueprint)               # each with the element, the rule, a message, a proposed fix
    index = BlueprintIndex(blueprint)            # references resolved; names of tables, columns, attributes

`model` has the form, `types` its enumerations, `links` how relations are stored. Nothing here keeps state.
"""

from gencode.blueprints.findings import Finding, Fix, Severity, is_valid
from gencode.blueprints.fixes import repaired, with_fixes
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.links import Link, links_of, normalised
from gencode.blueprints.model import (
    Api,
    Blueprint,
    BusinessFlow,
    Component,
    DataBinding,
    Element,
    Entity,
    EntityField,
    EnumValue,
    Page,
    Relation,
    UniqueConstraint,
)
from gencode.blueprints.rules import Rule
from gencode.blueprints.types import Action, FieldType, HttpMethod, OnDelete, RelationType
from gencode.blueprints.validation import validate

__all__ = [
    "Action",
    "Api",
    "Blueprint",
    "BlueprintIndex",
    "BusinessFlow",
    "Component",
    "DataBinding",
    "Element",
    "Entity",
    "EntityField",
    "EnumValue",
    "FieldType",
    "Finding",
    "Fix",
    "HttpMethod",
    "Link",
    "OnDelete",
    "Page",
    "Relation",
    "RelationType",
    "Rule",
    "Severity",
    "UniqueConstraint",
    "is_valid",
    "links_of",
    "normalised",
    "repaired",
    "validate",
    "with_fixes",
]
