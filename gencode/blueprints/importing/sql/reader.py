"""Reads the statements that say what tables there are; the others are counted."""

from __future__ import annotations

import logging
import re
from collections import Counter
from contextlib import suppress

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.schema import (
    Column,
    ColumnType,
    Default,
    Enumeration,
    Index,
    QualifiedName,
    Schema,
    Table,
)
from gencode.blueprints.importing.sql.dialects import DIALECTS, understood
from gencode.blueprints.importing.sql.expressions import (
    NO_QUOTES,
    column_names,
    column_type,
    name_of,
    text_of,
)
from gencode.blueprints.importing.sql.statements import Statement
from gencode.blueprints.importing.sql.tables import TableReader

_READ = re.compile(
    r"(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL|TEMPORARY|TEMP|UNLOGGED|FOREIGN)\s+)*TABLE"
    r"|CREATE\s+TYPE|CREATE\s+(?:UNIQUE\s+)?(?:CLUSTERED\s+|NONCLUSTERED\s+)?INDEX"
    r"|ALTER\s+TABLE|COMMENT\s+ON\s+(?:TABLE|COLUMN))\b",
    re.I,
)
_DOMAIN = re.compile(r"CREATE\s+DOMAIN\s+([\w.\"]{1,200})\s+(?:AS\s+)?(?P<rest>.+)", re.I | re.S)
_SILENT = re.compile(
    r"(?:SET|USE|BEGIN|START|COMMIT|ROLLBACK|END|DROP|LOCK|UNLOCK|ANALYZE|VACUUM|PRAGMA|PRINT|PROMPT|SPOOL"
    r"|CREATE\s+(?:SCHEMA|DATABASE|EXTENSION|SEQUENCE|USER|ROLE|TABLESPACE|(?:OR\s+REPLACE\s+)?(?:PROCEDURAL\s+)?"
    r"LANGUAGE)|ALTER\s+(?:SCHEMA|DATABASE|SEQUENCE|USER|ROLE|TYPE|DOMAIN|FUNCTION|AGGREGATE|VIEW"
    r"|(?:PROCEDURAL\s+)?LANGUAGE)|COMMENT\s+ON|GRANT|REVOKE|SELECT\s+(?:pg_catalog\.)?(?:setval|set_config))\b",
    re.I,
)
_OWNER = re.compile(
    r"ALTER\s+TABLE\s+(?:ONLY\s+)?\S{1,200}\s+(?:OWNER\s+TO|ENABLE|DISABLE|CLUSTER|REPLICA|(?:NO)?CHECK\s+CONSTRAINT"
    r"|CHECK\s+CONSTRAINT|ALTER\s+COLUMN\s+\S{1,200}\s+SET\s+(?:STATISTICS|STORAGE))\b",
    re.I,
)
_DEFAULT_OF = re.compile(
    r"ALTER\s+TABLE\s+(?P<table>[\w.\[\]\"]{1,200})\s+ADD\s+(?:CONSTRAINT\s+\S{1,200}\s+)?DEFAULT\s*"
    r"(?P<value>.{1,2000}?)\s+FOR\s+\[?(?P<column>\w{1,200})\]?\s*\Z",
    re.I | re.S,
)
_KIND = re.compile(
    r"(CREATE|ALTER)\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:(?:DEFINER\s*=\s*\S+|ALGORITHM\s*=\s*\S+|SQL\s+SECURITY\s+\S+"
    r"|MATERIALIZED|RECURSIVE|FORCE|EDITIONABLE|CONSTRAINT|FULLTEXT|SPATIAL|BITMAP)\s+)*(\w+)|(\w+)",
    re.I,
)
_MAX_STATEMENT = 200_000
"""Characters of one statement that is parsed."""


class SqlReader:
    def __init__(self, dialect: str, notes: NoteList, *, is_guessed: bool = False) -> None:
        self._dialect = dialect
        self._is_guessed = is_guessed
        self._notes = notes
        self._schema = Schema()
        self._domains: dict[str, ColumnType] = {}
        self._tables = TableReader(dialect, self._schema, self._domains, notes)
        self._others: Counter[str] = Counter()
        self._lines: dict[str, int] = {}
        self._unreadable: ImportFailed | None = None
        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns of statements that are noted here

    def read(self, statement: Statement) -> None:
        text = statement.text
        if (domain := _DOMAIN.match(text)) is not None:
            self._read_domain(domain, statement)
        elif (default := _DEFAULT_OF.match(text)) is not None:
            self._read_default(default)
        elif _OWNER.match(text) is None and _READ.match(text) is not None:
            self._parse(statement)
        elif text[:1].isalpha() and _OWNER.match(text) is None and _SILENT.match(text) is None:
            self._count(statement)

    def finished(self) -> Schema:
        """Raises ImportFailed where no statement could be read, and the first could have been."""
        for kind, count in self._others.items():
            self._notes.add(NoteRule.STATEMENT, line=self._lines[kind], statement=kind, count=str(count))
        if not self._schema.tables and self._unreadable is not None:
            raise self._unreadable
        return self._schema

    def _count(self, statement: Statement) -> None:
        match = _KIND.match(statement.text)
        kind = " ".join(filter(None, match.groups())).upper() if match else statement.text[:20]
        self._others[kind] += 1
        self._lines.setdefault(kind, statement.line)

    def _parse(self, statement: Statement) -> None:
        if len(statement.text) > _MAX_STATEMENT:
            self._fail(statement, f"it is longer than {_MAX_STATEMENT:,} characters", statement.line, 1)
            return
        try:
            parsed = self._parsed(statement.text)
        except SqlglotError as error:
            first = (getattr(error, "errors", None) or [{}])[0]
            line = statement.line + int(first.get("line") or 1) - 1
            problem = (
                str(first.get("description") or error).splitlines()[0].partition(" <Token")[0].rstrip(".")
            )
            self._fail(statement, problem, line, int(first.get("col") or 1))
            return
        if not self._apply(parsed, statement):
            self._fail(statement, "its form is not known", statement.line, 1)

    def _parsed(self, text: str) -> exp.Expr:
        """In the given dialect; where it was guessed, it may be another one. Raises SqlglotError."""
        try:
            found: exp.Expr = sqlglot.parse_one(understood(text, self._dialect), read=self._dialect)
            if not (self._is_guessed and isinstance(found, exp.Command)):
                return found
        except SqlglotError:
            if not self._is_guessed:
                raise
        for dialect in DIALECTS:
            with suppress(SqlglotError):
                other: exp.Expr = sqlglot.parse_one(understood(text, dialect), read=dialect)
                if not isinstance(other, exp.Command):
                    return other
        return sqlglot.parse_one(text, read=self._dialect)

    def _fail(self, statement: Statement, problem: str, line: int, column: int) -> None:
        start = " ".join(statement.text[:200].split())[:60]
        self._notes.add(NoteRule.UNREADABLE, line=line, start=start, problem=problem)
        self._unreadable = self._unreadable or ImportFailed(f"{problem}, in {start!r}", line, column)

    def _apply(self, parsed: exp.Expr, statement: Statement) -> bool:
        if isinstance(parsed, exp.Create) and parsed.kind == "TABLE":
            return self._create_table(parsed, statement)
        if isinstance(parsed, exp.Create) and parsed.kind == "INDEX":
            return self._create_index(parsed, statement)
        if isinstance(parsed, exp.Create) and parsed.kind == "TYPE":
            return self._create_type(parsed)
        if isinstance(parsed, exp.Comment):
            return self._comment(parsed)
        if isinstance(parsed, exp.Alter):
            return self._tables.alter(parsed, statement.line)
        return False

    def _create_table(self, parsed: exp.Create, statement: Statement) -> bool:
        properties = parsed.args.get("properties")
        for property_ in properties.expressions if properties else ():
            if isinstance(property_, exp.InheritsProperty | exp.PartitionedOfProperty):
                name = name_of(parsed.this if isinstance(parsed.this, exp.Table) else parsed.this.this)
                self._tables.left_out.add(name.key)
                told = f"{name} {property_.sql(dialect=self._dialect)}"
                self._notes.add(NoteRule.STATEMENT, line=statement.line, statement=told, count="1")
                return True
        if not isinstance(parsed.this, exp.Schema):
            told = f"CREATE TABLE {name_of(parsed.this)} AS"
            self._notes.add(NoteRule.STATEMENT, line=statement.line, statement=told, count="1")
            return isinstance(parsed.this, exp.Table)
        comment = next((text_of(one.this) for one in parsed.find_all(exp.SchemaCommentProperty)), "")
        self._tables.create(parsed.this, statement.line, comment)
        return True

    def _create_index(self, parsed: exp.Create, statement: Statement) -> bool:
        named = parsed.this.args.get("table")
        parameters = parsed.this.args.get("params")
        if named is None or parameters is None:
            return False
        name = name_of(named)
        table = self._tables.table(name)
        columns, expression = column_names(parameters.args.get("columns") or [], self._dialect)
        if table is not None:
            where = parameters.args.get("where")
            if where is not None:
                expression = ", ".join(filter(None, [expression, where.sql(dialect=self._dialect)]))
            table.indexes.append(
                Index(
                    columns=columns,
                    is_unique=bool(parsed.args.get("unique")),
                    expression=expression,
                    line=statement.line,
                )
            )
        elif name.key not in self._tables.left_out:
            self._notes.add(NoteRule.UNRESOLVED, line=statement.line, name=str(name))
        return True

    def _create_type(self, parsed: exp.Create) -> bool:
        values = parsed.args.get("expression")
        if not isinstance(values, exp.DataType) or values.this != exp.DataType.Type.ENUM:
            return False
        name = name_of(parsed.this)
        pairs = tuple((text_of(one), "") for one in values.expressions)
        self._schema.enumerations[name.key] = Enumeration(name=name, values=pairs)
        return True

    def _comment(self, parsed: exp.Comment) -> bool:
        text = text_of(parsed.args.get("expression"))
        if isinstance(parsed.this, exp.Column):
            schema = parsed.this.args.get("db")
            name = QualifiedName(schema=schema.name if schema else "", name=parsed.this.table)
            column = self._column(self._tables.table(name), parsed.this.name)
            if column is not None:
                column.comment = text
        elif (table := self._tables.table(name_of(parsed.this))) is not None:
            table.comment = text
        return True

    def _column(self, table: Table | None, name: str) -> Column | None:
        return table.columns.get(name.lower()) if table is not None else None

    def _read_default(self, match: re.Match[str]) -> None:
        """SQL Server: `ALTER TABLE t ADD CONSTRAINT c DEFAULT (getdate()) FOR x`."""
        schema, _, name = match["table"].translate(NO_QUOTES).rpartition(".")
        table = self._tables.table(QualifiedName(schema=schema, name=name))
        column = self._column(table, match["column"])
        if column is not None:
            column.default = Default(text=match["value"].strip())

    def _read_domain(self, match: re.Match[str], statement: Statement) -> None:
        """`CREATE DOMAIN year AS integer CHECK (...)`: the type is read as that of a column."""
        text = f"CREATE TABLE d (c {match['rest'][:_MAX_STATEMENT]})"
        try:
            parsed = sqlglot.parse_one(text, read=self._dialect)
            definition = parsed.find(exp.ColumnDef)
        except SqlglotError:
            definition = None
        if definition is None:
            self._fail(statement, "its type cannot be read", statement.line, 1)
            return
        name = match[1].replace('"', "")
        self._domains[name.rpartition(".")[2].lower()] = column_type(definition, self._dialect)
        if definition.find(exp.CheckColumnConstraint):
            self._notes.add(NoteRule.CHECK, line=statement.line, check=f"{name} {match['rest']}")
