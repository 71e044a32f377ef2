"""Applies the fixes that findings propose.

blueprint, left = repaired(blueprint)        # all errors that have a fix; warnings only where asked for
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from pydantic import ValidationError

from gencode.blueprints.findings import Finding, Severity
from gencode.blueprints.links import normalised
from gencode.blueprints.model import Blueprint
from gencode.blueprints.rules import Rule
from gencode.blueprints.validation import validate

ROUNDS = 100
"""A fix may bring a new finding, and an element gets one kind of fix in a round; most need one or two."""


def repaired(blueprint: Blueprint) -> tuple[Blueprint, list[Finding]]:
    """The blueprint with each link declared once and all fixes of errors, and what is still found."""
    blueprint = normalised(blueprint)
    findings = validate(blueprint)
    for _ in range(ROUNDS):
        errors = [one for one in findings if one.severity is Severity.ERROR and one.fix is not None]
        changed = with_fixes(blueprint, errors)
        if not errors or changed == blueprint:
            break
        blueprint, findings = changed, validate(changed)
    return blueprint, findings


def with_fixes(blueprint: Blueprint, findings: Iterable[Finding]) -> Blueprint:
    """The first fix of each element, and new ids of all that have the same one; a fix that makes no valid
    form is left out."""
    of_element: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fix is not None:
            chosen = of_element.setdefault(finding.element, [])
            if not chosen or finding.rule is chosen[0].rule is Rule.DUPLICATE_ID:
                chosen.append(finding)
    return _applied(blueprint, [*chain.from_iterable(of_element.values())])


def _applied(blueprint: Blueprint, findings: Sequence[Finding]) -> Blueprint:
    """All at once; where that makes no valid form, the halves one after the other."""
    document = blueprint.model_dump(mode="json", by_alias=True)
    for finding in findings:
        _apply(document, finding)
    try:
        return Blueprint.model_validate(document)
    except ValidationError:
        if len(findings) < 2:
            return blueprint
        half = len(findings) // 2
        return _applied(_applied(blueprint, findings[:half]), findings[half:])


def _apply(document: dict[str, Any], finding: Finding) -> None:
    fix = finding.fix
    for siblings, position in _elements(document, finding.element.split("/")):
        if fix is not None and fix.remove:
            siblings.pop(position)
        elif fix is not None:
            siblings[position].update(fix.changes)
            for name in [name for name, value in fix.changes.items() if value is None]:
                siblings[position].pop(name)
        return


def _elements(document: dict[str, Any], path: list[str]) -> Iterator[tuple[list[Any], int]]:
    """The last element of the path with its siblings; of equal ids the last."""
    holder: dict[str, Any] = document
    for depth in range(0, len(path) - 1, 2):
        siblings, identity = holder.get(path[depth], []), path[depth + 1]
        found = next(_within(siblings, identity), None)
        if found is None:
            return
        if depth + 2 >= len(path):
            yield found
            return
        holder = found[0][found[1]]


def _within(siblings: list[Any], identity: str) -> Iterator[tuple[list[Any], int]]:
    """Components are found at any depth."""
    for position in reversed(range(len(siblings))):
        if siblings[position].get("id") == identity:
            yield siblings, position
        yield from _within(siblings[position].get("children", []), identity)
