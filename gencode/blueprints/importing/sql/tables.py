"""Tables of CREATE TABLE and ALTER TABLE: columns, keys, references, indexes, checks."""

from __future__ import annotations

from collections.abc import Sequence

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
    column_names,
    column_type,
    default_of,
    name_of,
    text_of,
)


class TableReader:
    """`left_out`: keys of tables that are known and not kept, such as partitions."""

    def __init__(self, dialect: str, schema: Schema, domains: dict[str, ColumnType], notes: NoteList) -> None:
        self._dialect = dialect
        self._schema = schema
        self._domains = domains
        self._notes = notes
        self.left_out: set[tuple[str, str]] = set()

    def table(self, name: QualifiedName) -> Table | None:
        found = self._schema.tables.get(name.key)
        if found is None:
            wanted = tuple(part.lower() for part in name.key)
            tables = self._schema.tables.items()
            found = next((one for key, one in tables if tuple(map(str.lower, key)) == wanted), None)
        return found

    def create(self, schema: exp.Schema, line: int, comment: str) -> None:
        name = name_of(schema)
        if self.table(name) is not None:
            self._notes.add(NoteRule.STATEMENT, line=line, statement=f"CREATE TABLE {name}", count="1")
            return
        table = Table(name=name, line=line, comment=comment)
        self._schema.tables[name.key] = table
        for node in schema.expressions:
            self._add(table, node, line)

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
        if isinstance(action, exp.ModifyColumn):
            return self._add(table, action.this, line)
        if isinstance(action, exp.AlterColumn):
            return self._alter_column(table, action)
        if isinstance(action, exp.Drop):
            return True
        return self._add(table, action, line)

    def _alter_column(self, table: Table, action: exp.AlterColumn) -> bool:
        column = table.columns.get(action.name.lower())
        if column is None:
            return False
        if action.args.get("default") is not None:
            column.default = default_of(action.args["default"], self._dialect)
        if action.args.get("allow_null") is False:
            column.is_required = True
        return True

    def _add_each(self, table: Table, nodes: Sequence[exp.Expr], line: int) -> bool:
        """Also those after one that is not known."""
        results = [self._add(table, node, line) for node in nodes]
        return all(results)

    def _add(self, table: Table, node: exp.Expr, line: int) -> bool:
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
            self._index(table, node.this.expressions, line, is_unique=True)
        elif isinstance(node, exp.IndexColumnConstraint):
            self._index(table, node.expressions, line, is_unique=False)
        elif isinstance(node, exp.CheckColumnConstraint):
            table.checks.append((node.this.sql(dialect=self._dialect), line))
        else:
            told = node.sql(dialect=self._dialect)
            self._notes.add(NoteRule.STATEMENT, line=line, statement=f"{table.name}: {told}", count="1")
        return True

    def _index(self, table: Table, nodes: Sequence[exp.Expr], line: int, *, is_unique: bool) -> None:
        columns, expression = column_names(nodes, self._dialect)
        table.indexes.append(Index(columns=columns, is_unique=is_unique, expression=expression, line=line))

    # --- columns --------------------------------------------------------------------------------------

    def _column(self, table: Table, node: exp.ColumnDef, line: int) -> None:
        kind = column_type(node, self._dialect)
        known = self._domains.get(kind.name.rpartition(".")[2].lower())
        place = node.this.meta.get("line")
        column = Column(
            name=node.name, type=known or kind, line=line + place - 1 if isinstance(place, int) else line
        )
        before = table.columns.get(column.name.lower())
        if before is not None:
            column.comment, column.default = before.comment, before.default
        table.columns[column.name.lower()] = column
        for constraint in node.args.get("constraints") or []:
            self._constraint(table, column, constraint.args.get("kind"))

    def _constraint(self, table: Table, column: Column, kind: exp.Expr | None) -> None:
        if isinstance(kind, exp.NotNullColumnConstraint):
            column.is_required = not kind.args.get("allow_null")
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            table.primary_key = (column.name,)
        elif isinstance(kind, exp.UniqueColumnConstraint):
            column.is_unique = True
        elif isinstance(kind, exp.AutoIncrementColumnConstraint | exp.GeneratedAsIdentityColumnConstraint):
            column.is_generated = True
        elif isinstance(kind, exp.CommentColumnConstraint):
            column.comment = text_of(kind.this)
        elif isinstance(kind, exp.DefaultColumnConstraint) and kind.this is not None:
            column.default = default_of(kind.this, self._dialect)
        elif isinstance(kind, exp.CheckColumnConstraint):
            column.checks.append(kind.this.sql(dialect=self._dialect))
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
