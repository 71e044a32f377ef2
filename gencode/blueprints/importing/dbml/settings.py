"""Names, values and settings `[pk, default: 1, ref: > users.id]`: what all parts of DBML are made of."""

from __future__ import annotations

from dataclasses import dataclass

from gencode.blueprints.importing.dbml.lexer import value
from gencode.blueprints.importing.relational.schema import QualifiedName
from gencode.blueprints.importing.scanning import END, Token, TokenReader

NAME = ("word", "quoted", "number")
RELATIONS = ("<>", "<", ">", "-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """`name` in lower case, with single spaces; `tokens` of its value; [] where it has none."""

    name: str
    tokens: list[Token]

    @property
    def text(self) -> str:
        return " ".join(map(value, self.tokens))


def read_settings(reader: TokenReader) -> list[Setting]:
    """[] where no bracket is next."""
    if not reader.at("["):
        return []
    first = reader.take()
    settings: list[Setting] = []
    while not reader.at("]"):
        if reader.next.kind == END:
            raise reader.failed("this '[' is not closed", first)
        settings.append(_setting(reader))
        if not reader.at("]"):
            reader.expect(",", "a list of settings")
    reader.take()
    return settings


def _setting(reader: TokenReader) -> Setting:
    name = [reader.expect_kind((*NAME, "color"), "a setting").text]
    while reader.next.kind == "word":
        name.append(reader.take().text)
    tokens = []
    if reader.accept(":"):
        depth = 0
        while reader.next.kind != END and (depth or not reader.at(",", "]")):
            depth += reader.at("(") - reader.at(")")
            tokens.append(reader.take())
        if not tokens:
            raise reader.failed(f"the setting {' '.join(name)} needs a value")
    return Setting(name=" ".join(name).lower(), tokens=tokens)


def read_name(reader: TokenReader, what: str) -> QualifiedName:
    """`users`, `auth.users`, `"a b"."c"`; of more parts the last two."""
    parts = [value(reader.expect_kind(NAME, what))]
    while reader.accept("."):
        parts.append(value(reader.expect_kind(NAME, what)))
    return QualifiedName(schema=parts[-2] if len(parts) > 1 else "", name=parts[-1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One end of a reference. `table`: None in a partial table, whose references name columns only."""

    table: QualifiedName | None
    columns: tuple[str, ...]


def read_endpoint(reader: TokenReader) -> Endpoint:
    """`users.id`, `auth.users.id`, `users.(id, kind)`."""
    parts: list[str] = []
    while True:
        if parts and reader.accept("("):
            columns = _columns(reader)
            break
        parts.append(value(reader.expect_kind(NAME, "a table and its column")))
        if not reader.accept("."):
            columns, parts = (parts[-1],), parts[:-1]
            break
    table = QualifiedName(schema=parts[-2] if len(parts) > 1 else "", name=parts[-1]) if parts else None
    return Endpoint(table=table, columns=columns)


def _columns(reader: TokenReader) -> tuple[str, ...]:
    columns = [value(reader.expect_kind(NAME, "a column"))]
    while reader.accept(","):
        columns.append(value(reader.expect_kind(NAME, "a column")))
    reader.expect(")", "a list of columns")
    return tuple(columns)


def read_relation(reader: TokenReader) -> str:
    """`<`, `>`, `-`, `<>`; a `?` beside it, which marks an optional end, is left out."""
    reader.accept("?")
    if not reader.at(*RELATIONS):
        raise reader.failed(f"one of < > - <> is expected here, not {reader.shown()}")
    sign = reader.take().text
    reader.accept("?")
    return sign
