"""Reads a definition of a table part by part, where sqlglot cannot read it as a whole.

A part that cannot be read is noted, and hides no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.column_types import is_known
from gencode.blueprints.importing.relational.schema import ColumnType, Table
from gencode.blueprints.importing.sql.expressions import NO_QUOTES, column_type, name_of
from gencode.blueprints.importing.sql.parsing import parsed_or_none
from gencode.blueprints.importing.sql.parts import Item, Parts, clause_of_standard
from gencode.blueprints.importing.sql.statements import Statement
from gencode.blueprints.importing.sql.tables import TableReader

_COMMENT = re.compile(r"\bCOMMENT\s*=?\s*'((?:[^'\\]|''|\\.)*)'", re.I)
_SIZES = re.compile(r"\(([^()]*)\)")
_WORDS_OF_TYPES = re.compile(
    r"\w+(?:\s+(?:with|without|local|time|zone|varying|precision|raw|unsigned|zerofill|day|to|second|year"
    r"|month|binary))+",
    re.I,
)
_NO_MEANING = re.compile(
    r"(?:CONVERT\s+TO|OWNER\s+TO|SET\s*\(|RENAME\s+CONSTRAINT|ALTER\s+CONSTRAINT|VALIDATE|ENABLE|DISABLE|ENGINE"
    r"|AUTO_INCREMENT|DEFAULT\s+CHAR|ROW_FORMAT|CHARSET|CHARACTER\s+SET|COLLATE|RENAME\s+(?:INDEX|KEY)|REPLICA"
    r"|(?:NO)?CHECK\s+CONSTRAINT|MODIFY\s+CONSTRAINT)\b",
    re.I,
)


class PieceReader:
    def __init__(self, dialect: str, tables: TableReader, notes: NoteList) -> None:
        self._dialect = dialect
        self._tables = tables
        self._notes = notes

    def create(self, statement: Statement) -> bool:
        """Of CREATE TABLE. Whether its name and a column were found."""
        try:
            parts = Parts(statement.text, self._dialect).table()
        except ImportFailed:
            return False
        parsed = self._parsed(f"{parts[0]} (c INT)") if parts else None
        if parts is None or not isinstance(parsed, exp.Create) or not isinstance(parsed.this, exp.Schema):
            return False
        if not any(item.name and self._type(item) for item in parts[1]):
            return False
        comment = _COMMENT.search(parts[2])
        said = comment[1].replace("''", "'") if comment else ""
        table = self._tables.new(name_of(parsed.this), statement.line, said)
        for item in parts[1]:
            if table is not None:
                self._add(table, item, statement.line + item.line)
        return True

    def alter(self, statement: Statement) -> bool:
        """Of ALTER TABLE. Whether its name was found."""
        try:
            head, actions = Parts(statement.text, self._dialect).actions()
        except ImportFailed:
            return False
        parsed = self._parsed(f"{head} ADD c INT")
        if not isinstance(parsed, exp.Alter):
            return False
        table = self._tables.table(name_of(parsed.this))
        for verb, item in actions:
            line = statement.line + item.line
            if table is not None and verb:
                self._add(table, item, line)
            elif table is None or not self._other(head, item.text, line):
                self._option(f"{head} {item.text}", line)
        return True

    def _other(self, head: str, action: str, line: int) -> bool:
        if _NO_MEANING.match(action):
            return True
        parsed = self._parsed(f"{head} {action}")
        return isinstance(parsed, exp.Alter) and self._tables.alter(parsed, line)

    def _add(self, table: Table, item: Item, line: int) -> None:
        if item.index:
            parsed = self._parsed(f"CREATE INDEX i ON t {item.index}")
            parameters = parsed.this.args.get("params") if isinstance(parsed, exp.Create) else None
            if parameters is not None:
                self._tables.add_index(table, parameters.args.get("columns") or [], line, is_unique=False)
                return
        nodes = [*self._nodes(item.constraint)] if item.constraint else []
        for node in nodes:
            self._tables.add(table, node, line)
        if item.name:
            self._add_column(table, item, line)
        elif not nodes:
            self._option(f"{table.name}: {item.text}", line)

    def _add_column(self, table: Table, item: Item, line: int) -> None:
        name, type_ = item.name.translate(NO_QUOTES), self._type(item)
        if type_ is None:
            start, problem = f"{table.name}: {item.text[:60]}", f"{item.type} is no type"
            self._notes.add(NoteRule.UNREADABLE, line=line, start=start, problem=problem)
            return
        column = self._tables.new_column(table, name, type_, line)
        for clause in item.clauses:
            kinds = [*self._kinds(clause)]
            for kind in kinds:
                self._tables.constrain(table, column, kind)
            if not kinds:
                self._option(f"{table.name}.{name}: {clause}", line)

    def _type(self, item: Item) -> ColumnType | None:
        """As sqlglot reads it, else its words and its sizes; None for words that are no type."""
        if not item.type:
            return ColumnType(name="text")
        for node in self._nodes(f"c {item.type}"):
            if isinstance(node, exp.ColumnDef) and not node.args.get("constraints"):
                return column_type(node, self._dialect)
        sizes = _SIZES.search(item.type)
        arguments = tuple(one.strip().split(" ")[0] for one in sizes[1].split(",")) if sizes else ()
        name = " ".join(_SIZES.sub(" ", item.type).translate(NO_QUOTES).split())
        is_type = " " not in name or is_known(name) or _WORDS_OF_TYPES.fullmatch(name)
        return ColumnType(name=name, arguments=arguments) if is_type else None

    def _kinds(self, clause: str) -> Iterator[exp.Expr]:
        for node in self._nodes(f"c INT {clause_of_standard(clause)}"):
            for constraint in node.args.get("constraints") or []:
                if isinstance(kind := constraint.args.get("kind"), exp.Expr):
                    yield kind

    def _nodes(self, definition: str) -> list[exp.Expr]:
        parsed = self._parsed(f"CREATE TABLE t ({definition})")
        found = parsed.this if isinstance(parsed, exp.Create) else None
        return list(found.expressions) if isinstance(found, exp.Schema) else []

    def _parsed(self, text: str) -> exp.Expr | None:
        return parsed_or_none(text, self._dialect)

    def _option(self, option: str, line: int) -> None:
        self._notes.add(NoteRule.OPTION, line=line, option=option)
