"""Reads the statements that say what tables there are; the others are counted."""

from __future__ import annotations

import logging
import re
from collections import Counter

from sqlglot import exp
from sqlglot.errors import SqlglotError

from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.schema import (
    ColumnType,
    Enumeration,
    Index,
    QualifiedName,
    Schema,
)
from gencode.blueprints.importing.sql.dialects import DIALECTS
from gencode.blueprints.importing.sql.expressions import column_names, name_of, text_of
from gencode.blueprints.importing.sql.parsing import parsed, parsed_or_none
from gencode.blueprints.importing.sql.piecewise import PieceReader
from gencode.blueprints.importing.sql.plain_statements import PlainStatements
from gencode.blueprints.importing.sql.statements import Statement
from gencode.blueprints.importing.sql.tables import TableReader

_READ = re.compile(
    r"(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL|TEMPORARY|TEMP|UNLOGGED|FOREIGN|EXTERNAL)\s+)*TABLE"
    r"|CREATE\s+TYPE|CREATE\s+(?:UNIQUE\s+)?(?:CLUSTERED\s+|NONCLUSTERED\s+)?INDEX"
    r"|ALTER\s+TABLE)\b",
    re.I,
)
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
_CREATE_TABLE = re.compile(r"CREATE\s+(?:\w+\s+){0,4}TABLE\b", re.I)
_ALTER_TABLE = re.compile(r"ALTER\s+TABLE\b", re.I)
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
        self._plain = PlainStatements(dialect, self._tables, self._domains, notes)
        self._pieces = PieceReader(dialect, self._tables, notes)
        self._others: Counter[str] = Counter()
        self._lines: dict[str, int] = {}
        self._unreadable: ImportFailed | None = None
        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns of statements that are noted here

    def read(self, statement: Statement) -> None:
        text = statement.text
        if self._plain.read(statement):
            return
        if _OWNER.match(text) is None and _READ.match(text) is not None:
            self._parse(statement)
        elif text[:1].isalpha() and _OWNER.match(text) is None and _SILENT.match(text) is None:
            self._count(statement)

    def finished(self) -> Schema:
        """Raises ImportFailed where no statement could be read, and the first could have been."""
        self._tables.note_dropped()
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
            found = self._parsed(statement.text)
        except SqlglotError as error:
            if self._read_pieces(statement):
                return
            first = (getattr(error, "errors", None) or [{}])[0]
            line = statement.line + int(first.get("line") or 1) - 1
            problem = (
                str(first.get("description") or error).splitlines()[0].partition(" <Token")[0].rstrip(".")
            )
            self._fail(statement, problem, line, int(first.get("col") or 1))
            return
        if not self._apply(found, statement) and not self._read_pieces(statement):
            self._fail(statement, "its form is not known", statement.line, 1)

    def _read_pieces(self, statement: Statement) -> bool:
        if _CREATE_TABLE.match(statement.text):
            return self._pieces.create(statement)
        return _ALTER_TABLE.match(statement.text) is not None and self._pieces.alter(statement)

    def _parsed(self, text: str) -> exp.Expr:
        """In the given dialect; where it was guessed, it may be another one. Raises SqlglotError."""
        try:
            found = parsed(text, self._dialect)
            if not (self._is_guessed and isinstance(found, exp.Command)):
                return found
        except SqlglotError:
            if not self._is_guessed:
                raise
        for dialect in DIALECTS:
            other = parsed_or_none(text, dialect)
            if other is not None and not isinstance(other, exp.Command):
                return other
        return parsed(text, self._dialect)

    def _fail(self, statement: Statement, problem: str, line: int, column: int) -> None:
        start = " ".join(statement.text[:200].split())[:60]
        self._notes.add(NoteRule.UNREADABLE, line=line, start=start, problem=problem)
        self._unreadable = self._unreadable or ImportFailed(f"{problem}, in {start!r}", line, column)

    def _apply(self, found: exp.Expr, statement: Statement) -> bool:
        if isinstance(found, exp.Create) and found.kind == "TABLE":
            return self._create_table(found, statement)
        if isinstance(found, exp.Create) and found.kind == "INDEX":
            return self._create_index(found, statement)
        if isinstance(found, exp.Create) and found.kind == "TYPE":
            return self._create_type(found)
        if isinstance(found, exp.Alter):
            return self._tables.alter(found, statement.line)
        return False

    def _create_table(self, parsed: exp.Create, statement: Statement) -> bool:
        name = name_of(parsed.this)
        properties = parsed.args.get("properties")
        found = {type(one): one for one in (properties.expressions if properties else ())}
        inherited, like = found.get(exp.InheritsProperty), found.get(exp.LikeProperty)
        partition = found.get(exp.PartitionedOfProperty)
        if partition is None and inherited is not None and not _has_columns(parsed.this):
            partition = inherited
        if partition is not None:
            self._tables.left_out.add(name.key)
            self._tell(f"{name} {partition.sql(dialect=self._dialect)}", statement)
            return True
        if like is not None and (table := self._tables.new(name, statement.line, "")) is not None:
            self._tables.copy_columns(table, name_of(like.this), statement.line)
        elif like is None and not isinstance(parsed.this, exp.Schema):
            self._tell(f"CREATE TABLE {name} AS", statement)
            return isinstance(parsed.this, exp.Table)
        elif like is None:
            comment = next((text_of(one.this) for one in parsed.find_all(exp.SchemaCommentProperty)), "")
            self._tables.create(parsed.this, statement.line, comment)
            if inherited is not None:
                self._inherit(name, inherited, statement)
        return True

    def _inherit(self, name: QualifiedName, inherited: exp.Expr, statement: Statement) -> None:
        """The columns of the table's parents are its own, too."""
        table = self._tables.table(name)
        for parent in inherited.expressions:
            if table is not None:
                self._tables.copy_columns(table, name_of(parent), statement.line)
        self._tell(f"{name} {inherited.sql(dialect=self._dialect)}", statement)

    def _tell(self, told: str, statement: Statement) -> None:
        self._notes.add(NoteRule.STATEMENT, line=statement.line, statement=told, count="1")

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


def _has_columns(schema: exp.Expr) -> bool:
    return isinstance(schema, exp.Schema) and any(
        isinstance(one, exp.ColumnDef) for one in schema.expressions
    )
