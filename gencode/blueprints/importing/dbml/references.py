"""References of DBML: `Ref: a.b > c.d`, and `[ref: > c.d]` at a column."""

from __future__ import annotations

from dataclasses import dataclass

from gencode.blueprints.importing.dbml.settings import (
    Endpoint,
    Setting,
    read_endpoint,
    read_name,
    read_relation,
    read_settings,
)
from gencode.blueprints.importing.dbml.table_body import InlineReference
from gencode.blueprints.importing.notes import NoteList
from gencode.blueprints.importing.relational.schema import ForeignKey, QualifiedName, Schema, SetLink
from gencode.blueprints.importing.scanning import END, TokenReader

MAX_REFERENCES = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ref:
    left: Endpoint
    sign: str
    right: Endpoint
    line: int
    is_inline: bool = False
    on_delete: str = ""
    on_update: str = ""


class ReferenceReader:
    """Collects references while tables are read, since they name aliases and tables that come later."""

    def __init__(self, reader: TokenReader, schema: Schema, notes: NoteList) -> None:
        self._reader = reader
        self._schema = schema
        self._notes = notes
        self._found: list[_Ref] = []
        self._one_to_one: set[tuple[tuple[str, str], tuple[str, ...], tuple[str, str]]] = set()
        self.aliases: dict[str, QualifiedName] = {}

    def read(self) -> None:
        """After the word Ref: `: ...` or `name { ... }`."""
        if not self._reader.at(":", "{"):
            read_name(self._reader, "the name of a reference")
        read_settings(self._reader)
        if self._reader.accept(":"):
            self._read_one()
            return
        first = self._reader.expect("{", "a reference")
        while not self._reader.accept("}"):
            if self._reader.next.kind == END:
                raise self._reader.failed("this '{' is not closed", first)
            self._read_one()

    def _read_one(self) -> None:
        line = self._reader.next.line
        if len(self._found) >= MAX_REFERENCES:
            raise self._reader.failed(f"there are more than {MAX_REFERENCES:,} references")
        left = read_endpoint(self._reader)
        sign = read_relation(self._reader)
        right = read_endpoint(self._reader)
        actions = {one.name: _action(one) for one in read_settings(self._reader)}
        if left.table is None or right.table is None:
            raise self._reader.failed("a reference names tables and their columns", self._reader.previous)
        if len(left.columns) != len(right.columns):
            raise self._reader.failed("both ends have the same number of columns", self._reader.previous)
        self._found.append(
            _Ref(
                left=left,
                sign=sign,
                right=right,
                line=line,
                on_delete=actions.get("delete", ""),
                on_update=actions.get("update", ""),
            )
        )

    def add_inline(self, table: QualifiedName, reference: InlineReference) -> None:
        right = reference.target
        if right.table is None:
            right = Endpoint(table=table, columns=right.columns)
        left = Endpoint(table=table, columns=(reference.column,))
        self._found.append(
            _Ref(left=left, sign=reference.sign, right=right, line=reference.line, is_inline=True)
        )

    def add_all(self) -> None:
        for one in self._found:
            if one.sign == "<>":
                self._schema.set_links.append(
                    SetLink(source=self._table(one.left), target=self._table(one.right), line=one.line)
                )
            else:
                self._add(one)

    def _add(self, one: _Ref) -> None:
        holder, referred = (one.right, one.left) if self._is_left_referred(one) else (one.left, one.right)
        known = (self._table(holder).key, holder.columns, self._table(referred).key)
        if one.sign == "-" and known in self._one_to_one:
            return  # both ends declare it
        self._one_to_one.add(known)
        self._schema.foreign_keys.append(
            ForeignKey(
                source=self._table(holder),
                columns=holder.columns,
                target=self._table(referred),
                target_columns=referred.columns,
                on_delete=one.on_delete,
                on_update=one.on_update,
                is_one_to_one=one.sign == "-",
                line=one.line,
            )
        )

    def _is_left_referred(self, one: _Ref) -> bool:
        """Of `-`, the end that is a primary key is referred to; where both or none are, the left one, which
        has the reference in a column's settings."""
        if one.sign != "-":
            return one.sign == "<"
        left, right = self._is_key(one.left), self._is_key(one.right)
        return left if left != right else not one.is_inline

    def _is_key(self, end: Endpoint) -> bool:
        table = self._schema.tables.get(self._table(end).key)
        if table is None:
            return False
        key = [column.lower() for column in table.primary_key] or ["id"]
        return [column.lower() for column in end.columns] == key

    def _table(self, end: Endpoint) -> QualifiedName:
        name = end.table or QualifiedName(name="")
        alias = self.aliases.get(name.name.lower()) if not name.schema else None
        return name if alias is None or name.key in self._schema.tables else alias


def _action(setting: Setting) -> str:
    return " ".join(token.text for token in setting.tokens).upper()
