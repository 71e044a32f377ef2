"""Findings about a name that stands in several languages, each with a proposed name."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping

from gencode.blueprints import reserved_words
from gencode.blueprints.findings import Finding, Fix, Severity
from gencode.blueprints.identifiers import MAX_IDENTIFIER, proposed
from gencode.blueprints.model import Element
from gencode.blueprints.rules import Rule

Propose = Callable[[str], str]
"""Makes a usable name of a text."""
MakeFix = Callable[[], Fix]
"""Called only where there is a finding: most names are in order."""


def identifier_finding(path: str, element: Element, propose: Propose) -> Finding:
    """A name that is not an identifier: the text stays as the label."""
    changes = {"name": propose(element.name or element.label or element.id)}
    if not element.label and element.name:
        changes["label"] = element.name
    return Finding(
        element=path,
        rule=Rule.IDENTIFIER,
        parameters={"name": element.name or '""', "most": str(MAX_IDENTIFIER)},
        fix=Fix(changes=dict(changes)),
    )


def free_table(name: str, taken: Container[str]) -> str:
    base = proposed(name, suffix="records")[: MAX_IDENTIFIER - 12].strip("_")
    candidate, number = f"{base}_table", 2
    while candidate in taken:
        candidate, number = f"{base}_table_{number}", number + 1
    return candidate


def reserved(
    path: str, name: str, words: Mapping[str, Container[str]], rule: Rule, fix: MakeFix
) -> Iterator[Finding]:
    """One finding for the first language in which the name cannot be used."""
    for language, taken in words.items():
        if name in taken:
            yield Finding(element=path, rule=rule, parameters={"name": name, "language": language}, fix=fix())
            return


def sql_word(path: str, name: str, fix: MakeFix) -> Iterator[Finding]:
    """A warning: SQLAlchemy quotes it."""
    if name in reserved_words.SQL:
        lists = {"PostgreSQL": reserved_words.SQL_POSTGRESQL, "MySQL": reserved_words.SQL_MYSQL}
        databases = [database for database, words in lists.items() if name in words]
        yield Finding(
            element=path,
            rule=Rule.SQL_RESERVED_WORD,
            severity=Severity.WARNING,
            parameters={"name": name, "database": ", ".join(databases)},
            fix=fix(),
        )
