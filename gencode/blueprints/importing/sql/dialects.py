"""The dialects of SQL that are read, and how a text shows which one it is in."""

from __future__ import annotations

import re

_MARKS = (
    ("mysql", re.compile(r"`\w|\bENGINE\s*=|\bAUTO_INCREMENT\b|\bUNSIGNED\b", re.I)),
    (
        "tsql",
        re.compile(r"\[dbo\]|(?<!\bAS )\bIDENTITY\b|^\s*GO\s*$|\bNVARCHAR\s*\(\s*MAX|\]\s*\[", re.I | re.M),
    ),
    ("oracle", re.compile(r"\bVARCHAR2\b|\bNUMBER\b|\bNVARCHAR2\b", re.I)),
    ("sqlite", re.compile(r"\bAUTOINCREMENT\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b", re.I)),
)
DIALECTS = ("postgres", "mysql", "tsql", "oracle", "sqlite")
_SAMPLE = 200_000
"""Characters that are looked at."""


def guessed_dialect(text: str) -> str:
    """The one with the first mark that is found; PostgreSQL, the nearest to the standard, where none is."""
    sample = text[:_SAMPLE]
    return next((name for name, mark in _MARKS if mark.search(sample)), "postgres")


_REWRITTEN = {
    "tsql": (
        (re.compile(r"\bIDENTITY\b(?!\s*\()", re.I), "IDENTITY(1,1)"),
        (re.compile(r"\b(?:NON)?CLUSTERED\b", re.I), ""),
    ),
    "sqlite": ((re.compile(r"\bBLOB\s+SUB_TYPE\s+TEXT\b", re.I), "TEXT"),),
    "postgres": ((re.compile(r"\bINDEX\s+NONCONCURRENTLY\b", re.I), "INDEX"),),
}


def understood(statement: str, dialect: str) -> str:
    """The statement with forms that sqlglot does not know in another form of the same meaning."""
    for form, other in _REWRITTEN.get(dialect, ()):
        statement = form.sub(other, statement)
    body = statement.rstrip()
    if body.endswith(")") and body[:-1].rstrip().endswith(","):
        return f"{body[:-1].rstrip()[:-1]})"  # a comma before the end, which databases let pass
    return statement
