"""Statements that are read by their form, without sqlglot: comments, domains, defaults, partitions, drops."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.schema import Column, ColumnType, Default, QualifiedName, Table
from gencode.blueprints.importing.sql.expressions import NO_QUOTES, column_type
from gencode.blueprints.importing.sql.parsing import parsed_or_none
from gencode.blueprints.importing.sql.statements import Statement
from gencode.blueprints.importing.sql.tables import TableReader

_PART = r"(?:\"[^\"]{1,200}\"|`[^`]{1,200}`|\[[^\]]{1,200}\]|[\w$#]{1,200})"
_NAME = rf"{_PART}(?:\s*\.\s*{_PART}){{0,3}}"
_TEXT = r"(?:N|(?P<escaped>E))?'(?P<text>(?:[^'\\]|''|\\.)*)'"
_COMMENT = re.compile(
    rf"COMMENT\s+ON\s+(?P<kind>TABLE|COLUMN)\s+(?P<name>{_NAME})\s+IS\s+(?:{_TEXT}|NULL)\s*\Z", re.I | re.S
)
_PROPERTY = re.compile(
    r"EXEC(?:UTE)?\s+(?:sys\s*\.\s*|\[sys\]\.)?\[?sp_(?:add|update)extendedproperty\b", re.I
)
_DOMAIN = re.compile(
    rf"CREATE\s+(?:DOMAIN|TYPE)\s+(?P<name>{_NAME})\s+(?P<word>AS|FROM)?\s*(?P<rest>.+)", re.I | re.S
)
_DEFAULT = re.compile(
    rf"ALTER\s+TABLE\s+(?P<table>{_NAME})\s+ADD\s+(?:CONSTRAINT\s+\S{{1,200}}\s+)?DEFAULT\s*"
    rf"(?P<value>.{{1,2000}}?)\s*\bFOR\s+(?P<column>{_PART})\s*\Z",
    re.I | re.S,
)
_GENERATED = re.compile(
    rf"ALTER\s+TABLE\s+(?:ONLY\s+)?(?P<table>{_NAME})\s+ALTER\s+(?:COLUMN\s+)?(?P<column>{_PART})\s+ADD\s+GENERATED\b",
    re.I,
)
_ATTACH = re.compile(rf"ALTER\s+TABLE\s+(?:ONLY\s+)?{_NAME}\s+ATTACH\s+PARTITION\s+(?P<table>{_NAME})", re.I)
_DROP = re.compile(rf"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?P<tables>{_NAME}(?:\s*,\s*{_NAME}){{0,200}})", re.I)
_VIEW = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:ALGORITHM|DEFINER)\s*=\s*\S+\s+|SQL\s+SECURITY\s+\w+\s+)*"
    rf"VIEW\s+(?P<name>{_NAME})",
    re.I,
)
_LITERAL = re.compile(r"N?'((?:[^']|'')*)'")
_NULLABLE = re.compile(r"\s+(?:NOT\s+)?NULL\s*\Z", re.I)


class PlainStatements:
    """`types`: of domains by name, which the reader of tables uses."""

    def __init__(
        self, dialect: str, tables: TableReader, types: dict[str, ColumnType], notes: NoteList
    ) -> None:
        self._dialect = dialect
        self._tables = tables
        self._types = types
        self._notes = notes
        self._forms: list[tuple[re.Pattern[str], Callable[[re.Match[str], Statement], bool]]] = [
            (_COMMENT, self._comment),
            (_PROPERTY, self._property),
            (_DOMAIN, self._domain),
            (_DEFAULT, self._default),
            (_GENERATED, self._generated),
            (_ATTACH, self._attach),
            (_DROP, self._drop),
            (_VIEW, self._view),
        ]

    def read(self, statement: Statement) -> bool:
        """Whether nothing is left to be said of the statement."""
        for form, read in self._forms:
            if (match := form.match(statement.text)) is not None:
                return read(match, statement)
        return False

    def _comment(self, match: re.Match[str], _statement: Statement) -> bool:
        text = match["text"] or ""
        if match["escaped"] or self._dialect == "mysql":
            text = re.sub(r"\\(.)", lambda one: {"n": "\n", "t": "\t"}.get(one[1], one[1]), text)
        parts = _parts(match["name"])
        self._say(text.replace("''", "'"), parts, is_column=match["kind"].upper() == "COLUMN")
        return True

    def _say(self, text: str, parts: list[str], *, is_column: bool) -> None:
        table = self._table(parts[:-1] if is_column else parts)
        column = self._column(table, parts[-1]) if is_column else None
        if column is not None:
            column.comment = text
        elif table is not None and not is_column:
            table.comment = text

    def _property(self, _match: re.Match[str], statement: Statement) -> bool:
        """SQL Server: the comments of tables and columns are properties named MS_Description."""
        said = [one.replace("''", "'") for one in _LITERAL.findall(statement.text)]
        kinds = [one.upper() for one in said]
        if len(said) < 6 or kinds[0] != "MS_DESCRIPTION" or "TABLE" not in kinds:
            return False
        names = dict(zip(kinds[2::2], said[3::2], strict=False))
        parts = [names.get("SCHEMA") or names.get("USER", ""), names["TABLE"]]
        is_column = "COLUMN" in names
        self._say(said[1], [*parts, names["COLUMN"]] if is_column else parts, is_column=is_column)
        return True

    def _domain(self, match: re.Match[str], statement: Statement) -> bool:
        """`CREATE DOMAIN year AS integer CHECK (...)`, `CREATE TYPE Phone FROM nvarchar(25)`: the type is
        read as that of a column."""
        is_type = statement.text[:20].upper().split()[1] == "TYPE"
        if is_type and (match["word"] or "").upper() != "FROM":
            return False
        rest = _NULLABLE.sub("", match["rest"]) if is_type else match["rest"]
        found = parsed_or_none(f"CREATE TABLE d (c {rest})", self._dialect)
        definition = found.find(exp.ColumnDef) if found is not None else None
        if definition is None:
            return False
        self._types[_parts(match["name"])[-1].lower()] = column_type(definition, self._dialect)
        if definition.find(exp.CheckColumnConstraint):
            check = f"{match['name']} {match['rest']}"
            self._notes.add(NoteRule.CHECK, line=statement.line, check=check)
        return True

    def _default(self, match: re.Match[str], _statement: Statement) -> bool:
        """SQL Server: `ALTER TABLE t ADD CONSTRAINT c DEFAULT (getdate()) FOR x`."""
        column = self._column(self._table(_parts(match["table"])), _parts(match["column"])[0])
        if column is not None:
            text = _LITERAL.fullmatch(match["value"].strip("() "))
            value = text[1].replace("''", "'") if text else match["value"].strip()
            column.default = Default(text=value, is_text=text is not None)
        return column is not None

    def _generated(self, match: re.Match[str], _statement: Statement) -> bool:
        """PostgreSQL: an identity column, as pg_dump writes it."""
        column = self._column(self._table(_parts(match["table"])), _parts(match["column"])[0])
        if column is not None:
            column.is_generated = True
        return column is not None

    def _attach(self, match: re.Match[str], statement: Statement) -> bool:
        """A partition has the rows of its table, so it is no entity."""
        parts = _parts(match["table"])
        self._tables.leave_out(_qualified(parts))
        told = f"PARTITION {'.'.join(parts)}"
        self._notes.add(NoteRule.STATEMENT, line=statement.line, statement=told, count="1")
        return True

    def _drop(self, match: re.Match[str], statement: Statement) -> bool:
        for name in re.findall(_NAME, match["tables"]):
            self._tables.drop(_qualified(_parts(name)), statement.line)
        return True

    def _view(self, match: re.Match[str], _statement: Statement) -> bool:
        """mysqldump writes a table that stands for a view before it writes the view."""
        name = _qualified(_parts(match["name"]))
        if self._tables.table(name) is not None:
            self._tables.leave_out(name)
        return False

    def _table(self, parts: list[str]) -> Table | None:
        return self._tables.table(_qualified(parts))

    def _column(self, table: Table | None, name: str) -> Column | None:
        return table.columns.get(name.lower()) if table is not None else None


def _parts(name: str) -> list[str]:
    return [part.translate(NO_QUOTES) for part in re.findall(_PART, name)]


def _qualified(parts: list[str]) -> QualifiedName:
    return QualifiedName(schema=parts[-2] if len(parts) > 1 else "", name=parts[-1])
