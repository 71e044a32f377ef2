"""The references between tables: each foreign key with its target, and what becomes of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from gencode.blueprints.importing.imported import ImportFailed
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.names import relation_name
from gencode.blueprints.importing.relational.schema import ForeignKey, QualifiedName, Schema, Table
from gencode.blueprints.model import MAX_FIELDS

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A foreign key whose tables and columns exist.

    columns   in lower case
    name      of the relation
    is_one    each row of the target is referred to once at most
    """

    key: ForeignKey
    source: Key
    target: Key
    columns: tuple[str, ...]
    name: str
    is_one: bool


class References:
    """Foreign keys by table. Those that lead nowhere are noted."""

    def __init__(self, schema: Schema, ids: dict[Key, str], notes: NoteList) -> None:
        self._schema = schema
        self._ids = ids
        self._notes = notes
        self._by_name: defaultdict[str, list[Key]] = defaultdict(list)
        for key in schema.tables:
            self._by_name[key[1].lower()].append(key)
        self.by_table: defaultdict[Key, list[Reference]] = defaultdict(list)
        updates = 0
        for foreign_key in schema.foreign_keys:
            self._add(foreign_key)
            updates += foreign_key.on_update not in ("", "NO ACTION", "RESTRICT")
        if updates:
            notes.add(NoteRule.ON_UPDATE, count=str(updates))

    def key(self, name: QualifiedName) -> Key | None:
        """Of a table: as it is written, or without regard to case or schema where one table is meant."""
        if name.key in self._schema.tables:
            return name.key
        same = self._by_name.get(name.name.lower(), [])
        near = [key for key in same if key[0].lower() == name.key[0].lower()] or same
        return near[0] if len(near) == 1 else None

    def pairs(self) -> set[tuple[Key, Key]]:
        """(source, target) of the references that are one to one."""
        return {(one.source, one.target) for many in self.by_table.values() for one in many if one.is_one}

    def _add(self, foreign_key: ForeignKey) -> None:
        source, target = self.key(foreign_key.source), self.key(foreign_key.target)
        columns = tuple(column.lower() for column in foreign_key.columns)
        shown = ", ".join(foreign_key.columns)
        if source is None:
            self._notes.add(NoteRule.UNRESOLVED, line=foreign_key.line, name=str(foreign_key.source))
            return
        table, path = self._schema.tables[source], f"dataModels/{self._ids[source]}"
        if missing := [column for column in columns if column not in table.columns]:
            name = f"{foreign_key.source}.{missing[0]}"
            self._notes.add(NoteRule.UNRESOLVED, path, foreign_key.line, name=name)
            return
        if target is None:
            self._note(NoteRule.FOREIGN_KEY_TARGET, path, foreign_key, shown)
            return
        if len(columns) == 1 and any(one.columns == columns for one in self.by_table[source]):
            if all(one.target != target for one in self.by_table[source] if one.columns == columns):
                self._note(NoteRule.FOREIGN_KEY_SECOND, f"{path}/relations/{shown}", foreign_key, shown)
            return
        if len(self.by_table[source]) >= MAX_FIELDS:
            message = f"{foreign_key.source} has more than {MAX_FIELDS} references"
            raise ImportFailed(message, foreign_key.line, 1)
        self._check_target(path, foreign_key, self._schema.tables[target], shown)
        self.by_table[source].append(
            Reference(
                key=foreign_key,
                source=source,
                target=target,
                columns=columns,
                name=relation_name(foreign_key.columns[0] if len(columns) == 1 else foreign_key.target.name),
                is_one=foreign_key.is_one_to_one or _is_unique(table, columns),
            )
        )

    def _check_target(self, path: str, foreign_key: ForeignKey, target: Table, shown: str) -> None:
        if len(foreign_key.columns) > 1:
            self._note(NoteRule.FOREIGN_KEY_COMPOSITE, path, foreign_key, shown)
            return
        columns = [column.lower() for column in foreign_key.target_columns]
        key = [column.lower() for column in target.primary_key]
        if columns and columns[0] not in target.columns:
            name = f"{foreign_key.target}.{foreign_key.target_columns[0]}"
            self._notes.add(NoteRule.UNRESOLVED, path, foreign_key.line, name=name)
        elif columns and columns != key and not (columns == ["id"] and not key):
            self._note(NoteRule.FOREIGN_KEY_COLUMN, f"{path}/relations/{shown}", foreign_key, shown)

    def _note(self, rule: NoteRule, path: str, foreign_key: ForeignKey, columns: str) -> None:
        target = f"{foreign_key.target}({', '.join(foreign_key.target_columns)})"
        self._notes.add(rule, path, foreign_key.line, columns=columns, target=target.removesuffix("()"))


def _is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    if tuple(column.lower() for column in table.primary_key) == columns:
        return True
    if len(columns) == 1 and table.columns[columns[0]].is_unique:
        return True
    return any(
        index.is_unique and not index.expression and tuple(one.lower() for one in index.columns) == columns
        for index in table.indexes
    )
