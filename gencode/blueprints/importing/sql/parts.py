"""The parts of a definition that sqlglot cannot read as a whole: actions, columns, clauses, constraints.

So what a database adds to the standard (storage, collations, kinds of indexes) hides no column and no key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gencode.blueprints.importing.scanning import END, Language, Token


def _language(text: str) -> Language:
    return Language(
        {
            "_space": r"\s+",
            "_comment": r"--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/",
            "text": text,
            "quoted": r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\W\d][^\[\]]*\]',
            "number": r"\d+(?:\.\d+)?(?!\w)",
            "word": r"[\w$#@]+",
            "sign": r"\W",
        },
        {"'": "this text is not closed"},
    )


_SQL = _language(r"N?'(?:[^']|'')*'|E'(?:[^'\\]|''|\\.)*'")
_MYSQL = _language(r"N?'(?:[^'\\]|''|\\.)*'")
_NO_MEANING = (
    *(
        "constraint",
        "collate",
        "character",
        "charset",
        "enable",
        "disable",
        "rowguidcol",
        "sparse",
        "using",
        "srid",
    ),
    *("invisible", "visible", "with", "encode", "persisted", "stored", "virtual", "storage", "deferrable"),
    *("initially", "first", "after"),
)
_CLAUSES = frozenset(
    (
        *("not", "null", "primary", "unique", "references", "check", "default", "identity", "auto_increment"),
        *("autoincrement", "as", "generated", "comment", "on", "index", *_NO_MEANING),
    )
)
"""Words that begin a clause of a column."""
_BOUND = frozenset(
    {
        ("default", "null"),
        ("default", "on"),
        ("default", "as"),
        ("always", "as"),
        ("null", "as"),
        ("as", "identity"),
        ("by", "default"),
        ("not", "null"),
        ("on", "null"),
        ("set", "null"),
        ("set", "default"),
        ("not", "deferrable"),
    }
)
"""Pairs of words that do not begin another clause."""
_CONSTRAINTS = frozenset(
    ("primary", "unique", "foreign", "check", "key", "index", "fulltext", "spatial", "exclude", "period")
)
_MEANINGLESS = frozenset(("null", *_NO_MEANING))
_TYPES = frozenset(
    ("varchar", "char", "nvarchar", "varchar2", "int", "integer", "decimal", "numeric", "number", "character")
)
"""Types with sizes, which tell a column `key` from an index."""
_WITH_CHECK = (["with", "check"], ["with", "nocheck"])
_ACTION = re.compile(r"ON\s+(DELETE|UPDATE)\s+(SET\s+NULL|SET\s+DEFAULT|NO\s+ACTION|CASCADE|RESTRICT)", re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An element of a table: a column, or a constraint of the table. `line` counts from 0.

    text         as it is written
    constraint   in the form of the standard; "" for a column
    index        columns of an index, "(a, b)"; "" for everything else
    name, type   of a column
    clauses      of a column, such as `NOT NULL` and `DEFAULT 1`; those that mean nothing here are left out
    """

    text: str
    line: int
    constraint: str = ""
    index: str = ""
    name: str = ""
    type: str = ""
    clauses: list[str] = field(default_factory=list)


class Parts:
    """Of one statement. Raises ImportFailed where its quotes do not match."""

    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        language = _MYSQL if dialect == "mysql" else _SQL
        self._tokens = [token for token in language.tokens(text) if token.kind != END]

    def table(self) -> tuple[str, list[Item], str] | None:
        """Of CREATE TABLE: what is before the definitions, these, and what follows; None without these."""
        opening = next((at for at, one in enumerate(self._tokens) if one.text == "("), None)
        if opening is None:
            return None
        closing = self._closing(opening)
        first, last = self._tokens[opening], self._tokens[min(closing, len(self._tokens) - 1)]
        items = [self._item(part) for part in _split(self._tokens[opening + 1 : closing])]
        return self._text[: first.start], items, self._text[last.end :]

    def actions(self) -> tuple[str, list[tuple[str, Item]]]:
        """Of ALTER TABLE: what stands before the actions; each action with its verb: ADD, MODIFY or ""."""
        start = next(at for at, one in enumerate(self._tokens) if one.text.lower() == "table") + 1
        while start < len(self._tokens) and self._tokens[start].text.lower() in ("only", "if", "exists"):
            start += 1
        start += 1
        while start + 1 < len(self._tokens) and self._tokens[start].text == ".":
            start += 2
        head = self._text[: self._tokens[min(start, len(self._tokens)) - 1].end]
        if [one.text.lower() for one in self._tokens[start : start + 2]] in (
            ["with", "check"],
            ["with", "nocheck"],
        ):
            start += 2
        return head, list(self._actions(self._tokens[start:]))

    def _actions(self, tokens: Sequence[Token]) -> Iterator[tuple[str, Item]]:
        verb = ""
        for part in _split(tokens):
            word = part[0].text.lower()
            if word in ("add", "modify"):
                verb, part = word.upper(), part[1:]
                if part and part[0].text.lower() == "column":
                    part = part[1:]
            elif word in ("drop", "alter", "rename", "change", "convert", "owner", "set", "attach", "switch"):
                verb = ""
            if not part:
                continue
            if not verb:
                yield verb, Item(text=self._source(part), line=part[0].line - 1)
            elif part[0].text == "(":
                for one in _split(part[1:-1] if part[-1].text == ")" else part[1:]):
                    yield verb, self._item(one)
            else:
                yield verb, self._item(part)

    def _item(self, tokens: Sequence[Token]) -> Item:
        text, line = self._source(tokens), tokens[0].line - 1
        body = tokens[2:] if tokens[0].text.lower() == "constraint" and len(tokens) > 2 else tokens
        word = body[0].text.lower() if body[0].kind == "word" else ""
        groups = list(self._groups(body))
        if word in _CONSTRAINTS and groups and not self._is_column(body):
            return self._constraint(word, body, groups, text, line)
        name = tokens[0].text
        parts = list(_clauses(tokens[1:]))
        has_type = bool(parts) and parts[0][0].text.lower() not in _CLAUSES - {"character"}
        clauses = [self._source(one) for one in (parts[1:] if has_type else parts) if _has_meaning(one)]
        type_ = self._source(parts[0]) if has_type else ""
        return Item(text=text, line=line, name=name, type=type_, clauses=clauses)

    def _is_column(self, tokens: Sequence[Token]) -> bool:
        """`key varchar(20)` is a column, `KEY name (code)` is an index."""
        word, following = tokens[0].text.lower(), tokens[1] if len(tokens) > 1 else tokens[0]
        return word in ("key", "index", "period") and following.text.lower() in _TYPES

    def _constraint(
        self, word: str, tokens: Sequence[Token], groups: list[tuple[int, int]], text: str, line: int
    ) -> Item:
        first = self._source(tokens[groups[0][0] : groups[0][1]])
        if word in ("key", "index"):
            return Item(text=text, line=line, index=_without_noise(first))
        if word == "primary":
            return Item(text=text, line=line, constraint=f"PRIMARY KEY {_without_noise(first)}")
        if word == "unique":
            return Item(text=text, line=line, constraint=f"UNIQUE {_without_noise(first)}")
        if word == "check":
            return Item(text=text, line=line, constraint=f"CHECK {first}")
        if word == "foreign":
            return Item(text=text, line=line, constraint=f"FOREIGN KEY {first} {self._references(tokens)}")
        return Item(text=text, line=line)

    def _references(self, tokens: Sequence[Token]) -> str:
        """`REFERENCES t (a) ON DELETE CASCADE` without what follows it."""
        start = next((at for at, one in enumerate(tokens) if one.text.lower() == "references"), None)
        if start is None:
            return ""
        return _reference(self._source(tokens[start:]))

    def _groups(self, tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
        """Start and end of each pair of brackets at the top."""
        depth = start = 0
        for at, token in enumerate(tokens):
            if token.text == "(":
                start = at if depth == 0 else start
                depth += 1
            elif token.text == ")":
                depth -= 1
                if depth == 0:
                    yield start, at + 1

    def _closing(self, opening: int) -> int:
        depth = 0
        for at in range(opening, len(self._tokens)):
            depth += (self._tokens[at].text == "(") - (self._tokens[at].text == ")")
            if depth == 0:
                return at
        return len(self._tokens)

    def _source(self, tokens: Sequence[Token]) -> str:
        return self._text[tokens[0].start : tokens[-1].end] if tokens else ""


def _split(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """At the commas that stand in no bracket."""
    depth = start = 0
    for at, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            if at > start:
                yield tokens[start:at]
            start = at + 1
    if start < len(tokens):
        yield tokens[start:]


def _clauses(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The type of a column, then its clauses."""
    part: list[Token] = []
    depth, before, is_reference = 0, "", False
    for token in tokens:
        word = token.text.lower() if token.kind == "word" else ""
        begins = depth == 0 and word in _CLAUSES and (before, word) not in _BOUND
        if (
            begins
            and not (is_reference and word == "on")
            and part
            and not (word == "character" and not before)
        ):
            yield part
            part, is_reference = [], False
        is_reference = is_reference or word == "references"
        part.append(token)
        depth += (token.text == "(") - (token.text == ")")
        before = word if depth == 0 else before
    if part:
        yield part


def _has_meaning(tokens: Sequence[Token]) -> bool:
    word = tokens[0].text.lower()
    if word == "not":
        return len(tokens) > 1 and tokens[1].text.lower() == "null"
    return word not in _MEANINGLESS and not (
        word == "on" and len(tokens) > 1 and tokens[1].text.lower() != "update"
    )


def _reference(text: str) -> str:
    """A reference of the standard: its target and what happens on delete and update."""
    head = re.match(r"REFERENCES\s+[^\s(]+\s*(?:\([^()]*\))?", text, re.I)
    actions = (f"ON {kind} {action}" for kind, action in _ACTION.findall(text))
    return " ".join([head.group() if head else text, *actions])


def clause_of_standard(clause: str) -> str:
    """`REFERENCES t ENABLE` without what the standard does not have."""
    return _reference(clause) if clause[:10].lower() == "references" else clause


def _without_noise(group: str) -> str:
    """`(a ASC, b(10))` is `(a, b)`."""
    return re.sub(r"\s+(?:ASC|DESC)\b|\(\d+\)", "", group, flags=re.I)
