"""Fixes that need no judgement: names, parameters, defaults. What would be removed because it leads nowhere
may have been meant otherwise, and is left to be asked about."""

from __future__ import annotations

from collections.abc import Container

from gencode.blueprints.findings import Finding, Severity
from gencode.blueprints.fixes import ROUNDS, with_fixes
from gencode.blueprints.links import normalised
from gencode.blueprints.model import Blueprint
from gencode.blueprints.rules import Rule
from gencode.blueprints.validation import validate

_ASKED_ABOUT = frozenset({Rule.DANGLING_REFERENCE, Rule.NO_BINDING, Rule.EVENT_TARGET})


def with_certain_fixes(
    blueprint: Blueprint, *, removes: bool = False, ignored: Container[tuple[str, str]] = ()
) -> tuple[Blueprint, list[Finding], list[Finding]]:
    """The mended blueprint, what is still found, and what was mended.

    removes  also what leads nowhere is removed
    ignored  findings that are left as they are, by element and rule
    """
    blueprint = normalised(blueprint)
    findings = validate(blueprint)
    mended: list[Finding] = []
    for _ in range(ROUNDS):
        errors = [one for one in findings if (one.element, one.rule.value) not in ignored]
        fixable = [one for one in errors if _is_certain(one, removes=removes)]
        changed = with_fixes(blueprint, fixable)
        if changed == blueprint:
            break
        left = validate(changed)
        mended.extend(one for one in fixable if one not in left)
        blueprint, findings = changed, left
    return blueprint, findings, mended


def _is_certain(finding: Finding, *, removes: bool) -> bool:
    if finding.severity is not Severity.ERROR or finding.fix is None:
        return False
    is_removal = finding.fix.remove or "events" in finding.fix.changes
    return removes or not (is_removal and finding.rule in _ASKED_ABOUT)
