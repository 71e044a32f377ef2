"""The dialects of SQL that are read, and how a text shows which one it is in."""

from __future__ import annotations

import re

_MARKS = {
    "postgres": r"::|\b(?:big)?serial\b|\bnextval\s*\(|\bOWNER\s+TO\b|\bwith(?:out)?\s+time\s+zone\b"
    r"|\bjsonb\b|\bbytea\b|\bCREATE\s+EXTENSION\b|\bpg_catalog\b|\bcharacter\s+varying\b",
    "mysql": r"`\w|\bENGINE\s*=|\bAUTO_INCREMENT\b|\bUNSIGNED\b|/\*!\d|\blongtext\b|\bmediumtext\b",
    "tsql": r"\[[A-Za-z]\w*\]|(?<!\bAS )\bIDENTITY\s*\(\s*\d+\s*,|^\s*GO\s*$|\bNVARCHAR\s*\(\s*MAX"
    r"|\bsp_addextendedproperty\b|\bIDENTITY\s+PRIMARY\b|\bIDENTITY\s+NOT\b|\bUNIQUEIDENTIFIER\b|\bDATETIME2\b",
    "oracle": r"\bN?VARCHAR2\b|\bNUMBER\s*\(|\bNUMBER\b(?=\s*(?:,|\)|NOT\b|DEFAULT\b))|\bTABLESPACE\b",
    "sqlite": r"\bAUTOINCREMENT\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b|\bsqlite_\w+",
}
_FORMS = {dialect: re.compile(form, re.I | re.M) for dialect, form in _MARKS.items()}
DIALECTS = ("postgres", "mysql", "tsql", "oracle", "sqlite")
_SAMPLE = 200_000
"""Characters that are looked at."""
_DATA = re.compile(r"'[^'\n]*'|--[^\n]*|^INSERT\b[^\n]*", re.I | re.M)


def guessed_dialect(text: str) -> str:
    """The one with the most marks outside of texts and comments; where there are none, PostgreSQL, the
    nearest to the standard."""
    sample = _DATA.sub("''", text[:_SAMPLE])
    counts = {dialect: sum(1 for _ in form.finditer(sample)) for dialect, form in _FORMS.items()}
    return max(counts, key=lambda dialect: counts[dialect])


_REWRITTEN = {
    "tsql": (
        (re.compile(r"\bIDENTITY\b(?!\s*\()", re.I), "IDENTITY(1,1)"),
        (re.compile(r"\b(?:NON)?CLUSTERED\b", re.I), ""),
        (re.compile(r"\bROWGUIDCOL\b", re.I), ""),
        (re.compile(r"\bWITH\s+(?:NO)?CHECK\s+ADD\b", re.I), "ADD"),
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
