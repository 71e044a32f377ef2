"""Finds marks within SQL that are no part of it, with a parser of several dialects.

    CREATE TABLE t (id INTEGER);
    <<PART 2>>
    CREATE TABLE u (id INTEGER, ** CUT **

Only what looks like a mark is removed, and it is one only if the statement around it then is SQL and was none
before. Statements that the parser does not know are left alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from itertools import islice

from gencode.codegen.sql_syntax import LARGE, PSQL, bare_sql, faulty_sql, is_template, statement_bounds
from gencode.codegen.validation.findings import Finding, answer_residue, excerpt

_SIGN = r"[^\w\s'\"`;,]"
_WORDS = r" ?\w[\w -]{0,80}"
_OPENED = r"(?:>>>|\.\.\.|~~~|\\|→|</?)"
"""Signs before a mark at the end of a line that nothing closes."""
_MARK = re.compile(
    rf"^[ \t]*(?P<line>{_SIGN}{{1,3}}{_WORDS}{_SIGN}{{0,3}}|x>|___{_WORDS}___)[ \t]*$"
    rf"|(?P<end>(?<=[\s,;])(?:{_SIGN}{{1,3}}{_WORDS}{_SIGN}{{1,3}}|{_OPENED}{_WORDS}|___{_WORDS}___))[ \t]*$",
    re.MULTILINE,
)
_COMMAND = re.compile(
    rf"{PSQL}|\.\w+ |:(?:setvar|r|on|connect|out|error)\b|@{{1,2}}[\w./]*[./]", re.IGNORECASE
)
"""Commands of clients."""
_DIALECTS = ("postgres", "mysql", "sqlite", "tsql", "oracle")
_MAX_TEXT = 2_000_000
_MAX_STATEMENT = 4_000
_MAX_MARKS = 100
_MAX_PARSED = 40_000
"""Characters of the statements of one file that are parsed, which takes some 100 ms in five dialects."""


def sql_mark_findings(path: str, text: str) -> Iterator[Finding]:
    """At most one. Files that are templates are not SQL yet."""
    if len(text) > _MAX_TEXT or is_template(text):
        return
    if len(text) > LARGE and (line := next(faulty_sql(text.removeprefix("\ufeff"), is_patient=True), "")):
        at = text.find(line)
        yield answer_residue(path, text.count("\n", 0, at) + 1, f"The mark {excerpt(line)}")
        return
    bare = bare_sql(text)
    bounds = statement_bounds(bare)
    at, room = 0, _MAX_PARSED
    for found in islice(_MARK.finditer(bare), _MAX_MARKS):
        start, end = found.span("line" if found["line"] else "end")
        while bounds[at + 1] <= start:
            at += 1
        statement, begin = text[bounds[at] : bounds[at + 1]], bounds[at]
        room -= len(statement)
        if room < 0:
            return
        is_command = _COMMAND.match(text, start) or len(statement) > _MAX_STATEMENT
        if not is_command and _is_mark(statement, start - begin, end - begin):
            yield answer_residue(path, text.count("\n", 0, start) + 1, f"The mark {excerpt(text[start:end])}")
            return


def _is_mark(statement: str, start: int, end: int) -> bool:
    return not _is_sql(statement) and _is_sql(f"{statement[:start]} {statement[end:]}")


@lru_cache(maxsize=8)
def _is_sql(statement: str) -> bool:
    """Whether a dialect knows the statement; a blank one is known."""
    sqlglot = import_module("sqlglot")  # half as long to import as all other checks
    exp, errors = sqlglot.exp, sqlglot.errors
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    for dialect in _DIALECTS:
        try:
            parsed = sqlglot.parse(statement, read=dialect)
        except (errors.SqlglotError, RecursionError, ValueError):
            continue
        if not any(isinstance(one, exp.Command | exp.Column | exp.Alias) for one in parsed if one):
            return True
    return False
