"""The body of a table or a partial table: columns, indexes, checks, notes, records."""

from __future__ import annotations

from dataclasses import dataclass, field

from gencode.blueprints.importing.dbml.lexer import value
from gencode.blueprints.importing.dbml.settings import (
    NAME,
    Endpoint,
    Setting,
    read_endpoint,
    read_name,
    read_relation,
    read_settings,
)
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.schema import Column, ColumnType, Default, Index
from gencode.blueprints.importing.scanning import END, Token, TokenReader
from gencode.blueprints.model import MAX_FIELDS

KEY_SETTINGS = ("pk", "primary key")
_MAX_PARTIALS = 50
"""Of a table."""
_WITHOUT_BRACKETS = {"pk": "pk", "unique": "unique", "increment": "increment"}
"""Words that old files write after the type, without brackets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InlineReference:
    """`[ref: > users.id]` of a column."""

    column: str
    sign: str
    target: Endpoint
    line: int


@dataclass(kw_only=True, slots=True)
class Body:
    """`partials`: names of partial tables with the number of columns before them."""

    columns: list[Column] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    checks: list[tuple[str, int]] = field(default_factory=list)
    references: list[InlineReference] = field(default_factory=list)
    partials: list[tuple[str, int, Token]] = field(default_factory=list)
    note: str = ""


def read_body(reader: TokenReader, notes: NoteList) -> Body:
    body = Body()
    first = reader.expect("{", "a table")
    while not reader.accept("}"):
        if reader.next.kind == END:
            raise reader.failed("this '{' is not closed", first)
        if len(body.columns) > MAX_FIELDS or len(body.partials) > _MAX_PARTIALS:
            raise reader.failed(
                f"a table has at most {MAX_FIELDS} columns and {_MAX_PARTIALS} partial tables"
            )
        _read_part(reader, body, notes)
    return body


def read_note(reader: TokenReader) -> str:
    """After the word Note: `: '...'` or `{ '...' }`."""
    if reader.accept(":"):
        return value(reader.expect_kind(("text", "quoted", "expression"), "the text of a note"))
    reader.expect("{", "a note")
    text = value(reader.expect_kind(("text", "quoted", "expression"), "the text of a note"))
    reader.expect("}", "a note")
    return text


def _read_part(reader: TokenReader, body: Body, notes: NoteList) -> None:
    following = reader.after()
    is_block = following.kind == "sign" and following.text == "{"
    if reader.at("~"):
        reader.take()
        name = reader.expect_kind(NAME, "the name of a partial table")
        body.partials.append((value(name), len(body.columns), name))
    elif reader.at_word("note") and (is_block or following.text == ":"):
        reader.take()
        body.note = read_note(reader)
    elif reader.at_word("indexes") and (is_block or following.text == "["):
        reader.take()
        read_settings(reader)
        _read_indexes(reader, body)
    elif reader.at_word("checks") and (is_block or following.text == "["):
        reader.take()
        read_settings(reader)
        _read_checks(reader, body)
    elif reader.at_word("records") and following.text in ("{", "("):
        line = reader.take().line
        if reader.at("("):
            reader.skip_block("(", ")")
        reader.skip_block("{", "}")
        notes.add(NoteRule.STATEMENT, line=line, statement="records", count="1")
    else:
        _read_column(reader, body, notes)


# --- columns ------------------------------------------------------------------------------------------


def _read_column(reader: TokenReader, body: Body, notes: NoteList) -> None:
    name = reader.expect_kind(NAME, "a column, Note, indexes or checks")
    if reader.next.line != name.line or reader.at("[", "{", "}", ":"):
        raise reader.failed(f"the column {value(name)} needs a type", name)
    column = Column(name=value(name), type=_read_type(reader), line=name.line)
    body.columns.append(column)
    while reader.next.kind == "word" and reader.next.line == name.line:
        word = reader.take()
        if word.text.lower() not in _WITHOUT_BRACKETS:
            raise reader.failed(f"{word.text} is not expected after the type of a column", word)
        _apply(Setting(name=_WITHOUT_BRACKETS[word.text.lower()], tokens=[]), column, body, notes)
    if reader.at("["):
        settings = _read_column_settings(reader, column, body)
        for setting in settings:
            _apply(setting, column, body, notes)
    if reader.next.kind != END and reader.next.line == reader.previous.line and not reader.at("}"):
        raise reader.failed(f"{reader.shown()} is not expected after a column")


def _read_type(reader: TokenReader) -> ColumnType:
    last = reader.next
    name = read_name(reader, "a type")
    if last.kind == "quoted" and not name.schema:
        return _quoted_type(name.name)
    arguments: list[str] = []
    if reader.at("("):
        arguments = _read_arguments(reader)
    is_array = False
    while reader.at("[") and reader.next.start == reader.previous.end and _is_array(reader):
        is_array = True
        reader.skip_block("[", "]")
    return ColumnType(name=str(name), arguments=tuple(arguments), is_array=is_array)


def _is_array(reader: TokenReader) -> bool:
    """`int[]` and `int[3]`, but `int[pk]` is a setting."""
    inside = reader.after()
    return inside.text == "]" or (inside.kind == "number" and reader.after(2).text == "]")


def _quoted_type(text: str) -> ColumnType:
    """`"varchar(255)"`, `"int unsigned"`."""
    name, _, rest = text.partition("(")
    inside, _, after = rest.partition(")")
    arguments = tuple(part.strip() for part in inside.split(",") if part.strip())
    is_unsigned = "unsigned" in f"{name} {after}".lower().split()
    plain = f"{name} {after}".replace("[]", "").strip()
    return ColumnType(name=plain or text, arguments=arguments, is_unsigned=is_unsigned, is_array="[]" in text)


def _read_arguments(reader: TokenReader) -> list[str]:
    start, arguments = reader.take(), []
    while not reader.accept(")"):
        if reader.next.kind == END:
            raise reader.failed("this '(' is not closed", start)
        if not reader.accept(","):
            arguments.append(value(reader.take()))
    return arguments


def _read_column_settings(reader: TokenReader, column: Column, body: Body) -> list[Setting]:
    settings = read_settings(reader)
    for setting in settings:
        if setting.name == "ref":
            end = setting.tokens[-1]
            inside = TokenReader("", [*setting.tokens, Token(END, "", end.end, end.end, end.line)])
            sign = read_relation(inside)
            reference = InlineReference(
                column=column.name, sign=sign, target=read_endpoint(inside), line=column.line
            )
            body.references.append(reference)
    return settings


def _apply(setting: Setting, column: Column, body: Body, notes: NoteList) -> None:
    name = setting.name
    if name in KEY_SETTINGS:
        body.key.append(column.name)
    elif name == "not null":
        column.is_required = True
    elif name == "unique":
        column.is_unique = True
    elif name == "increment":
        column.is_generated = True
    elif name == "note":
        column.comment = setting.text
    elif name == "default" and setting.tokens:
        column.default = _default(setting.tokens)
    elif name == "check" and setting.tokens:
        column.checks.append(setting.text)
    elif name not in ("null", "ref"):
        notes.add(NoteRule.OPTION, line=column.line, option=f"[{name}]")


def _default(tokens: list[Token]) -> Default:
    """A text, a number, a word, an expression in backticks, or a value of an enum such as `status.new`."""
    first = tokens[0]
    if len(tokens) == 1:
        return Default(text=value(first), is_text=first.kind in ("text", "quoted"))
    return Default(text="".join(value(token) for token in tokens))


# --- indexes and checks -------------------------------------------------------------------------------


def _read_indexes(reader: TokenReader, body: Body) -> None:
    first = reader.expect("{", "indexes")
    while not reader.accept("}"):
        if reader.next.kind == END:
            raise reader.failed("this '{' is not closed", first)
        _read_index(reader, body)


def _read_index(reader: TokenReader, body: Body) -> None:
    line = reader.next.line
    columns: list[str] = []
    expressions: list[str] = []
    if reader.at_word("note") and reader.after().text in (":", "{"):
        reader.take()
        read_note(reader)
        return
    while reader.next.line == line and not reader.at("[", "}"):
        token = reader.take()
        if token.text == "(" and token.kind == "sign":
            _read_index_columns(reader, token, columns, expressions)
        elif token.kind in NAME:
            columns.append(value(token))
        elif token.kind == "expression":
            expressions.append(value(token))
        else:
            raise reader.failed(f"a column or an expression is expected here, not {token.text!r}", token)
    settings = {setting.name for setting in read_settings(reader)}
    if settings & {*KEY_SETTINGS}:
        body.key += columns
        return
    index = Index(
        columns=tuple(columns), is_unique="unique" in settings, expression=", ".join(expressions), line=line
    )
    body.indexes.append(index)


def _read_index_columns(
    reader: TokenReader, first: Token, columns: list[str], expressions: list[str]
) -> None:
    """After the bracket: what is more than a name is an expression."""
    part: list[Token] = []
    depth = 1
    while depth:
        token = reader.take()
        if token.kind == END:
            raise reader.failed("this '(' is not closed", first)
        is_sign = token.kind == "sign"
        depth += (is_sign and token.text == "(") - (is_sign and token.text == ")")
        if depth and not (is_sign and token.text == "," and depth == 1):
            part.append(token)
            continue
        if len(part) == 1 and part[0].kind in NAME:
            columns.append(value(part[0]))
        elif part:
            expressions.append(" ".join(map(value, part)))
        part = []


def _read_checks(reader: TokenReader, body: Body) -> None:
    first = reader.expect("{", "checks")
    while not reader.accept("}"):
        if reader.next.kind == END:
            raise reader.failed("this '{' is not closed", first)
        check = reader.expect_kind(("expression",), "an expression in backticks")
        body.checks.append((value(check), check.line))
        read_settings(reader)
