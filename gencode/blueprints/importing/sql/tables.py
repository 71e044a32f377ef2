"""Tables of CREATE TABLE and ALTER TABLE: columns, keys, references, indexes, checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.schema import (
    Column,
    ColumnType,
    ForeignKey,
    Index,
    QualifiedName,
    Schema,
    Table,
)
from gencode.blueprints.importing.sql.expressions import (
    check_text,
    column_names,
    column_type,
    default_of,
    name_of,
    text_of,
)
from gencode.blueprints.importing.sql.renames import MAX_RENAMES, rename_column, rename_table


class TableReader:
    """`left_out`: keys of tables that are known and not kept, such as partitions."""

    def __init__(self, dialect: str, schema: Schema, domains: dict[str, ColumnType], notes: NoteList) -> None:
        self._dialect = dialect
        self._schema = schema
        self._domains = domains
        self._notes = notes
        self.left_out: set[tuple[str, str]] = set()
        self._renames = 0
        self._dropped: dict[tuple[str, str], int] = {}

    def table(self, name: QualifiedName) -> Table | None:
        found = self._schema.tables.get(name.key)
        if found is None:
            wanted = tuple(part.lower() for part in name.key)
            tables = self._schema.tables.items()
            found = next((one for key, one in tables if tuple(map(str.lower, key)) == wanted), None)
        return found

    def create(self, schema: exp.Schema, line: int, comment: str) -> None:
        table = self.new(name_of(schema), line, comment)
        if table is not None:
            for node in schema.expressions:
                self.add(table, node, line)

    def new(self, name: QualifiedName, line: int, comment: str) -> Table | None:
        """An empty table; None, with a note, where there is one of this name that was not dropped."""
        found = self.table(name)
        if found is not None and self._dropped.pop(found.name.key, None) is not None:
            del self._schema.tables[found.name.key]
        elif found is not None:
            self._notes.add(NoteRule.STATEMENT, line=line, statement=f"CREATE TABLE {name}", count="1")
            return None
        table = Table(name=name, line=line, comment=comment)
        self._schema.tables[name.key] = table
        return table

    def copy_columns(self, table: Table, source: QualifiedName, line: int) -> None:
        """Those of a table that this one inherits from, or is like."""
        found = self.table(source)
        if found is None:
            self._notes.add(NoteRule.UNRESOLVED, line=line, name=str(source))
            return
        copied = {key: replace(column, checks=[*column.checks]) for key, column in found.columns.items()}
        table.columns = copied | table.columns
        table.primary_key = table.primary_key or found.primary_key

    def drop(self, name: QualifiedName, line: int) -> None:
        """A dropped table is kept, with a note, unless it is defined again: scripts tidy up at their ends."""
        found = self.table(name)
        if found is not None:
            self._dropped[found.name.key] = line

    def note_dropped(self) -> None:
        for key, line in self._dropped.items():
            if key in self._schema.tables:
                told = f"DROP TABLE {self._schema.tables[key].name}"
                self._notes.add(NoteRule.STATEMENT, line=line, statement=told, count="1")

    def leave_out(self, name: QualifiedName) -> None:
        """A table that is a partition of another, or stands for a view."""
        self.left_out.add(name.key)
        found = self.table(name)
        if found is not None:
            del self._schema.tables[found.name.key]

    def alter(self, parsed: exp.Alter, line: int) -> bool:
        """Whether every action is known."""
        name = name_of(parsed.this)
        table = self.table(name)
        if name.key in self.left_out:
            return True
        if table is None:
            self._notes.add(NoteRule.UNRESOLVED, line=line, name=str(name))
            return True
        results = [self._action(table, action, line) for action in parsed.args.get("actions") or []]
        return all(results)

    def _action(self, table: Table, action: exp.Expr, line: int) -> bool:
        if isinstance(action, exp.AddConstraint):
            return self._add_each(table, action.expressions, line)
        if isinstance(action, exp.RenameColumn | exp.AlterRename):
            return self._rename(table, action)
        if isinstance(action, exp.ModifyColumn):
            if (before := action.args.get("rename_from")) is not None:
                rename_column(self._schema, table, before.name, action.this.name)
            return self.add(table, action.this, line)
        if isinstance(action, exp.AlterColumn):
            return self._alter_column(table, action)
        if isinstance(action, exp.Drop):
            self._drop(table, action, line)
            return True
        return self.add(table, action, line)

    def _rename(self, table: Table, action: exp.Expr) -> bool:
        self._renames += 1
        if self._renames > MAX_RENAMES:
            return False
        if isinstance(action, exp.RenameColumn):
            rename_column(self._schema, table, action.this.name, action.args["to"].name)
        else:
            rename_table(self._schema, table, action.this.name)
        return True

    def _drop(self, table: Table, action: exp.Drop, line: int) -> None:
        if action.args.get("kind") == "COLUMN":
            for one in action.args.get("tables") or []:
                table.columns.pop(one.name.lower(), None)
            return
        told = f"{table.name}: {action.sql(dialect=self._dialect)}"
        self._notes.add(NoteRule.STATEMENT, line=line, statement=told, count="1")

    def _alter_column(self, table: Table, action: exp.AlterColumn) -> bool:
        column = table.columns.get(action.name.lower())
        if column is None:
            return False
        kind = action.args.get("dtype")
        if isinstance(kind, exp.DataType):
            definition = exp.ColumnDef(this=exp.to_identifier(column.name), kind=kind.copy())
            column.type = self._known(column_type(definition, self._dialect))
        if action.args.get("drop"):
            column.default = None
        if action.args.get("default") is not None:
            column.default = default_of(action.args["default"], self._dialect)
        if action.args.get("allow_null") is not None:
            column.is_required = not action.args["allow_null"]
        return True

    def _add_each(self, table: Table, nodes: Sequence[exp.Expr], line: int) -> bool:
        """Also those after one that is not known."""
        results = [self.add(table, node, line) for node in nodes]
        return all(results)

    def add(self, table: Table, node: exp.Expr, line: int) -> bool:
        """A column or a constraint of a table. Whether it is known."""
        if isinstance(node, exp.Constraint):
            return self._add_each(table, node.expressions, line)
        if isinstance(node, exp.ColumnDef):
            self._column(table, node, line)
        elif isinstance(node, exp.Identifier):
            table.columns.setdefault(
                node.name.lower(), Column(name=node.name, type=ColumnType(name="text"), line=line)
            )
        elif isinstance(node, exp.PrimaryKey):
            table.primary_key = column_names(node.expressions, self._dialect)[0]
        elif isinstance(node, exp.ForeignKey):
            columns = tuple(one.name for one in node.expressions)
            self._reference(table, columns, node.args.get("reference"), line)
        elif isinstance(node, exp.UniqueColumnConstraint) and isinstance(node.this, exp.Schema):
            self.add_index(table, node.this.expressions, line, is_unique=True)
        elif isinstance(node, exp.IndexColumnConstraint):
            self.add_index(table, node.expressions, line, is_unique=False)
        elif isinstance(node, exp.LikeProperty):
            self.copy_columns(table, name_of(node.this), line)
        elif isinstance(node, exp.CheckColumnConstraint):
            table.checks.append((check_text(node.this, self._dialect), line))
        else:
            told = node.sql(dialect=self._dialect)
            self._notes.add(NoteRule.STATEMENT, line=line, statement=f"{table.name}: {told}", count="1")
        return True

    def add_index(self, table: Table, nodes: Sequence[exp.Expr], line: int, *, is_unique: bool) -> None:
        columns, expression = column_names(nodes, self._dialect)
        table.indexes.append(Index(columns=columns, is_unique=is_unique, expression=expression, line=line))

    # --- columns --------------------------------------------------------------------------------------

    def _column(self, table: Table, node: exp.ColumnDef, line: int) -> None:
        place = node.this.meta.get("line")
        where = line + place - 1 if isinstance(place, int) else line
        column = self.new_column(table, node.name, column_type(node, self._dialect), where)
        for constraint in node.args.get("constraints") or []:
            self.constrain(table, column, constraint.args.get("kind"))

    def new_column(self, table: Table, name: str, kind: ColumnType, line: int) -> Column:
        """One that is defined again keeps its comment and its default."""
        column = Column(name=name, type=self._known(kind), line=line)
        before = table.columns.get(name.lower())
        if before is not None:
            column.comment, column.default = before.comment, before.default
        table.columns[name.lower()] = column
        return column

    def _known(self, kind: ColumnType) -> ColumnType:
        """A domain is its type."""
        return self._domains.get(kind.name.rpartition(".")[2].lower(), kind)

    def constrain(self, table: Table, column: Column, kind: exp.Expr | None) -> None:
        if isinstance(kind, exp.NotNullColumnConstraint):
            column.is_required = not kind.args.get("allow_null")
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            table.primary_key = (column.name,)
        elif isinstance(kind, exp.UniqueColumnConstraint):
            column.is_unique = True
        elif isinstance(kind, exp.GeneratedAsIdentityColumnConstraint) and kind.args.get("expression"):
            told = f"{table.name}.{column.name}: {kind.sql(dialect=self._dialect)}"
            self._notes.add(NoteRule.OPTION, line=column.line, option=told)
        elif isinstance(kind, exp.AutoIncrementColumnConstraint | exp.GeneratedAsIdentityColumnConstraint):
            column.is_generated = True
        elif isinstance(kind, exp.CommentColumnConstraint):
            column.comment = text_of(kind.this)
        elif isinstance(kind, exp.DefaultColumnConstraint) and kind.this is not None:
            column.default = default_of(kind.this, self._dialect)
        elif isinstance(kind, exp.CheckColumnConstraint):
            column.checks.append(check_text(kind.this, self._dialect))
        elif isinstance(kind, exp.Reference):
            self._reference(table, (column.name,), kind, column.line)
        elif isinstance(kind, exp.ComputedColumnConstraint | exp.OnUpdateColumnConstraint):
            told = f"{table.name}.{column.name}: {kind.sql(dialect=self._dialect)}"
            self._notes.add(NoteRule.OPTION, line=column.line, option=told)

    def _reference(self, table: Table, columns: tuple[str, ...], node: exp.Expr | None, line: int) -> None:
        if node is None:
            return
        target = node.this
        actions = {"DELETE": "", "UPDATE": ""}
        for option in node.args.get("options") or []:
            words = str(option).upper().split()
            if len(words) > 2 and words[0] == "ON" and words[1] in actions:
                actions[words[1]] = " ".join(words[2:])
        referred = target.expressions if isinstance(target, exp.Schema) else []
        self._schema.foreign_keys.append(
            ForeignKey(
                source=table.name,
                columns=columns,
                target=name_of(target),
                target_columns=tuple(one.name for one in referred),
                on_delete=actions["DELETE"],
                on_update=actions["UPDATE"],
                line=line,
            )
        )
