"""Finds lines that no dialect of SQL has: marks around a file or within it, and prose.

    CREATE TABLE t (id INTEGER);        @@@ PART 2 @@@        [CONTINUED]        {{END}}

Comments are the author's own, whatever they say. Strings, comments and data are set aside before anything is
looked at, in both ways to read a backslash in a string: a line is faulty only if it is in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

LARGE = 100_000
"""Characters of a file that is searched as a whole only where nothing else waits for it."""
_TABLE = """
    abort accept add alter analyse analyze associate attach audit backup begin binlog bulk cache
    call change check checkpoint checksum close cluster column comment commit connect copy create
    database deallocate declare define delete delimiter deny desc describe detach disable discard do
    drop else elsif enable end exception exchange exec execute exit explain export fetch flashback
    flush force from get go grant handler host if import insert install kill list listen load lock
    merge move msck noaudit notify optimize pivot pragma prepare print prompt purge put quit raise
    reassign refresh reindex release reload rename repair replace reset resignal restore return
    revert revoke rollback savepoint security select set show shutdown signal source spool start
    stop summarize switch system table then throw truncate uncache undefine undrop unlisten unlock
    unpivot update upsert use vacuum values variable when whenever while with xa
"""
_WORDS = frozenset(_TABLE.split())
_ALONE = frozenset(
    (
        *(
            "abort",
            "analyze",
            "begin",
            "checkpoint",
            "commit",
            "discard",
            "end",
            "exit",
            "go",
            "quit",
            "reset",
        ),
        *("return", "revert", "rollback", "savepoint", "vacuum", "raise", "throw", "select", "resignal"),
    )
)
"""Words that may be a whole statement."""
_OPENS = re.compile(r"\b(?:begin|case|declare|do|loop|if|repeat)\b", re.IGNORECASE)
"""Words of which one must precede an END."""
PSQL = (
    r"\\(?-i:[!?.]|[acCefghHilopqrstTwxz]|bind|connect|cd|conninfo|copy\w*|crosstabview|d\w*|echo|edit|ef|encoding|errverbose|ev|elif|else|endif|g\w+"
    r"|if|ir|lo_\w+|password|prompt|pset|qecho|restrict|set\w*|s[fv]|timing|unrestrict|unset|warn|watch)(?=[\s+;]|\Z)"
)
"""The commands of PostgreSQL's client."""
_START = re.compile(
    r"(?P<word>[A-Za-z]+)\b|\((?=\s*(?:select|with|values|table|\d|\())|\)|/(?=[ \t]*$)"
    rf"|{PSQL}|\.[a-z]{2, 12}(?=\s|\Z)|@{1, 2}[\w&~./]*[./]\w"
    r"|:(?:setvar|r|on|connect|out|error|exit|quit|reset|ed|xml)\b|:\w+ *(?=$|\s*:)|\$\$|!(?=[a-z]+ )"
    r"|[\[\"`]?\w+[\]\"`]?\.[\[\"`]?\w+|&{1,2}\w+\.?(?=\s|;|\Z)|x\b",
    re.IGNORECASE | re.MULTILINE,
)
"""How a statement may begin, commands of clients included."""
_TEXT = (
    r"--[^\n]*+|#(?![{(])[^\n]*+|^[ \t]*(?:rem(?:ark)?|prompt)\b[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"
    r"|{string}|\"[^\"]*+\"?|`[^`]*+`?|\$(\w*)\$.*?(?:\$\1\$|\Z){names}"
)
_NAMES = r"|(?<!\[)\[\w[\w $-]*\](?!\n)"
_PLAIN_STRINGS = re.compile(
    _TEXT.replace("{names}", _NAMES).replace("{string}", "'[^']*+'?"),
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_ESCAPING_STRINGS = re.compile(
    _TEXT.replace("{names}", _NAMES).replace("{string}", r"'(?:[^'\\]++|\\.)*+'?"),
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_WITH_NAMES = re.compile(
    _TEXT.replace("{names}", "").replace("{string}", "'[^']*+'?"), re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_DATA = re.compile(
    r"\bfrom\s+stdin\b[^;\n]*;[^\n]*\n.*?(?:^\\\.|\Z)", re.IGNORECASE | re.DOTALL | re.MULTILINE
)
_TEMPLATE = re.compile(
    r"\{%|\{\{(?=[^{}\n]{0,300}[(.|])[^{}\n]{0,300}\}\}|\{\{ ?\w+ ?\}\}[ \t]*\S|<%|#\{|\$\{|:'\w|%\(\w+\)s"
)
_TEMPLATE_STARTS = ("{{", "{%", "{#", "<%", "${", "#{")
_OWN_LINE = re.compile(r"^[ \t]*(?:\{\{[\w ]*\}\}|\{\w+\}|\$\{\w+\})[ \t]*$", re.MULTILINE)
"""A mark alone in its line, which does not make the file a template."""
_RUN = re.compile(
    r"([=<>*~@|!?^&])\1\1|([%@+])\2 ?\w[^%@+\n]*\2\2|:::[\w-]*:::|<\||\|>|<<\w+>>|\[\[ ?[^\W\d]\w* ?\]\]"
    r"|\[/|\[\||\|\]|(?<!\w)_{3}\w[\w -]*_{3}(?!\w)"
    r"|@(?!extowner)\w[\w-]*@(?!\w)|@{1,2} [A-Za-z]"
)
_DOLLARS = re.compile(r"^(?:[^'\"\n]|'[^'\n]*'|\"[^\"\n]*\")*?(?<![\w$])\${3}(?!\$)", re.MULTILINE)
_LONE = re.compile(r"(?<!\S)(?:\{{1,2} ?[^\W\d][\w -]*\}|\[ ?[^\W\d][\w -]*\])\}?[ \t]*$", re.MULTILINE)
"""Names in braces are placeholders, and those in brackets the names of T-SQL, only if there are several or a
word demands one."""
_DEMANDS = re.compile(
    r"\b(?:use|from|table|into|database|join|on|schema|index|view|update|exec\w*|as|by|login|user|role)\s*\Z",
    re.IGNORECASE,
)

_FOREIGN = re.compile(r"[^\w\s\x00-\x7f¬]")
_MARK_LINE = re.compile(
    r"[ \t]*(?:\{\{?[\w ]*\w[\w ]*\}\}?|undefined|NaN|\[object Object\]|\.\.\.|={2,}[^=\n]*={2,}"
    r"|#[^\n]*#)[ \t]*"
)
_MARK_STATEMENT = re.compile(r"(?:\[\w[\w ,:/-]*\]|\(\w+\)|/\w+/|null|citation)[ \t]*", re.IGNORECASE)
"""What may be a line within a statement, but is no beginning of one."""
_PROSE = re.compile(r"[A-Za-z]+(?: +[A-Za-z]+){2,}[.:]?[ \t]*")
_PROCEDURAL = re.compile(
    r"\b(?:begin|declare|procedure|function|trigger|package|delimiter|loop|do|job|event|macro)\b|\$\$|^GO\b",
    re.IGNORECASE | re.MULTILINE,
)


def faulty_sql(text: str, *, is_patient: bool = False) -> Iterator[str]:
    """The first lines that cannot be in such a file. `is_patient`: of a large file, not only the first
    statement is searched, which takes a second for 2 MB."""
    if len(text) > LARGE and not is_patient:
        yield from islice(faulty_sql(f"{text[:LARGE].rpartition(';')[0]};"), 1)
        return
    if is_template(text):
        ends = _ends(_bare(text, _PLAIN_STRINGS), text)
        yield from (line for line in ends if not line.lstrip().startswith(_TEMPLATE_STARTS))
        return
    text = _without_data(text)
    found = _faults(_bare(text, _PLAIN_STRINGS), text)
    if found and "\\" in text:
        other = _faults(_bare(text, _ESCAPING_STRINGS), text)
        found = [line for line in found if line in other]
    yield from found


def is_template(text: str) -> bool:
    """Whether a template engine has to render the text before it is SQL."""
    return _TEMPLATE.search(_OWN_LINE.sub("", text)) is not None


def bare_sql(text: str) -> str:
    """Text of equal length: comments and data are blanks, strings and names are words, line ends stay."""
    return _bare(_without_data(text), _ESCAPING_STRINGS if "\\" in text else _PLAIN_STRINGS)


def statement_bounds(bare: str) -> list[int]:
    """The offsets at which the statements begin, and the end."""
    return [0, *(found.end() for found in re.finditer(";", bare)), len(bare) + 1]


def _without_data(text: str) -> str:
    return _DATA.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _bare(text: str, strings: re.Pattern[str]) -> str:
    return strings.sub(_filled, text)


def _filled(found: re.Match[str]) -> str:
    fill = " " if found[0][0] in "-#/rRpP \t" else "x"
    return "".join(["\n" if one == "\n" else fill for one in found[0]])


def _faults(bare: str, text: str) -> list[str]:
    marks = [*_DOLLARS.finditer(text), *_lone_names(_bare(text, _WITH_NAMES))]
    lines = [_line(text, found.end() - 1) for found in marks[:1]]
    return [*_ends(bare, text), *_marks(bare, text), *_within(bare, text), *lines]


def _lone_names(bare: str) -> Iterator[re.Match[str]]:
    for found in _LONE.finditer(bare):
        is_only = bare.count(found[0][0]) <= 2
        if is_only and not _DEMANDS.search(bare, max(0, found.start() - 20), found.start()):
            yield found


def _statements(bare: str) -> list[tuple[int, str]]:
    """Each part between semicolons that is not blank, with its offset."""
    ends = [-1, *(found.start() for found in re.finditer(";", bare)), len(bare)]
    parts = [(start + 1, bare[start + 1 : end]) for start, end in pairwise(ends)]
    return [(at + len(part) - len(part.lstrip()), part.strip()) for at, part in parts if part.strip()]


def _ends(bare: str, text: str) -> Iterator[str]:
    """The beginning of the first statement, and of what follows the last one that is ended."""
    parts = _statements(bare)
    for at, part in (*parts[:1], *(parts[-1:] if not bare.rstrip().endswith(";") else ())):
        if not _begins_statement(part, bare, at):
            yield _line(text, at)


def _begins_statement(part: str, bare: str, at: int) -> bool:
    found = _START.match(part)
    if found is None or found["word"] is None:
        return found is not None
    word = found["word"].lower()
    if word == "end" and not _OPENS.search(bare, 0, at):
        return False
    if word == part.lower().rstrip(" /"):
        return word in _ALONE
    return word in _WORDS or word == "x"


def _marks(bare: str, text: str) -> Iterator[str]:
    """Characters that no dialect has outside of strings and comments, and lines that are nothing but a
    mark."""
    is_between = True
    for at, line in _lines(bare):
        is_mark = _MARK_LINE.fullmatch(line) or (is_between and _MARK_STATEMENT.fullmatch(line.strip()))
        if is_mark or _FOREIGN.search(line) or _RUN.search(line):
            yield _line(text, at)
            return
        is_between = line.rstrip().endswith(";")


def _within(bare: str, text: str) -> Iterator[str]:
    """A statement that begins as prose does, in a file without procedures."""
    if _PROCEDURAL.search(bare):
        return
    for at, part in _statements(bare):
        line = part.partition("\n")[0]
        if not _begins_statement(part, bare, at) and (_PROSE.fullmatch(line) or not line[0].isalpha()):
            yield _line(text, at)
            return


def _lines(bare: str) -> Sequence[tuple[int, str]]:
    starts = [0, *(found.end() for found in re.finditer("\n", bare))]
    return [(at, line) for at, line in zip(starts, bare.split("\n"), strict=True) if line.strip()]


def _line(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else len(text)]
