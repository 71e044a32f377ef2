"""Validates a blueprint: every rule looks at the whole, so one run finds everything."""

from __future__ import annotations

from gencode.blueprints.findings import Finding, Severity
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import Blueprint
from gencode.blueprints.rules import Rule
from gencode.blueprints.validation import (
    api_rules,
    constraint_name_rules,
    entity_name_rules,
    field_rules,
    identity_rules,
    page_rules,
    relation_rules,
    storage_rules,
)

_RULES = (
    identity_rules.check,
    entity_name_rules.check,
    field_rules.check,
    relation_rules.check,
    storage_rules.check,
    constraint_name_rules.check,
    page_rules.check,
    api_rules.check,
)
MAX_FINDINGS = 1000


def validate(blueprint: Blueprint) -> list[Finding]:
    """What prevents a build (errors) or is doubtful (warnings), at most MAX_FINDINGS, errors first."""
    index = BlueprintIndex(blueprint)
    findings = [finding for check in _RULES for finding in check(index)]
    if not blueprint.data_models:
        findings.append(Finding(element="dataModels", rule=Rule.NO_ENTITIES))
    findings.sort(key=lambda finding: finding.severity is Severity.WARNING)
    return findings[:MAX_FINDINGS]
