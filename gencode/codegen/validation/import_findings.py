"""Findings about imports, in the form that they have in every language."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.codegen.validation.finding import Finding, Rule
from gencode.codegen.validation.symbols import Import

_NAMED = 3
"""Places that a message names; a repair needs no more of them."""


def at(path: str, imported: Import, rule: Rule, message: str) -> Finding:
    """Where the import stands."""
    return Finding(path=path, line=imported.line, rule=rule, message=message)


def undeclared(manifest: str, message: str) -> Finding:
    """A manifest is to be mended as a whole."""
    return Finding(path=manifest, line=0, rule=Rule.UNDECLARED, message=message)


def undeclared_at(path: str, places: Sequence[str], message: str) -> Finding:
    """There is no manifest: at the first import. `places`: PATH:LINE of each."""
    line = int(places[0].rpartition(":")[2])
    return Finding(path=path, line=line, rule=Rule.UNDECLARED, message=message)


def users(places: Sequence[str]) -> str:
    """Who imports it, in words."""
    return ", ".join(places[:_NAMED]) + (" and others" if len(places) > _NAMED else "")
