"""A table becomes an entity: columns are fields or relations, keys and indexes are constraints."""

from __future__ import annotations

from typing import Any

from gencode.blueprints.identifiers import snake
from gencode.blueprints.importing.enumerations import enum_type
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.relational.checks import applied
from gencode.blueprints.importing.relational.column_types import GENERATED, Chosen, chosen_type, simple_name
from gencode.blueprints.importing.relational.defaults import default_of, is_no_default
from gencode.blueprints.importing.relational.names import (
    description_of,
    element_id,
    entity_name,
    field_name,
    label_of,
)
from gencode.blueprints.importing.relational.references import Key, Reference, References
from gencode.blueprints.importing.relational.schema import (
    Column,
    Enumeration,
    Index,
    QualifiedName,
    Schema,
    Table,
)
from gencode.blueprints.model import EntityField
from gencode.blueprints.types import FieldType

_ON_DELETE = {
    "CASCADE": "cascade",
    "SET NULL": "setNull",
    "RESTRICT": "restrict",
    "NO ACTION": "restrict",
    "": "restrict",
}
_MAX_UNIQUE, _MAX_UNIQUE_FIELDS = 50, 16
_INTEGERS = frozenset({FieldType.INTEGER, FieldType.BIGINT})


class TableEntity:
    def __init__(
        self, schema: Schema, table: Table, ids: dict[Key, str], references: References, notes: NoteList
    ) -> None:
        self._schema = schema
        self._table = table
        self._ids = ids
        self._notes = notes
        self._references = references.by_table.get(table.name.key, [])
        self._one_to_one = references.pairs()
        self._path = f"dataModels/{ids[table.name.key]}"
        self._key = tuple(column.lower() for column in table.primary_key)
        self._by_column = {one.columns[0]: one for one in self._references if len(one.columns) == 1}
        self._element_ids: dict[str, str] = {}
        """By column: of its field or relation."""
        self._unique: dict[tuple[str, ...], None] = {}
        """Columns that are unique together."""

    def document(self, named: dict[str, Any]) -> dict[str, Any]:
        fields = {}
        relations = []
        for name, column in self._table.columns.items():
            self._element_ids[name] = element_id(column.name, self._element_ids.values())
            if name in self._by_column:
                relations.append(self._relation(self._by_column[name], self._element_ids[name], column))
            elif not self._is_id(name, column):
                fields[name] = self._field(name, column)
        relations += [self._composite(one, relations) for one in self._references if len(one.columns) > 1]
        self._checks(fields)
        self._keys()
        for index in self._table.indexes:
            self._index(index, fields)
        return {
            "id": self._ids[self._table.name.key],
            **named,
            "fields": list(fields.values()),
            "relations": relations,
            "uniqueConstraints": self._constraints({*fields, *self._by_column}),
        }

    # --- the primary key --------------------------------------------------------------------------------

    def _is_id(self, name: str, column: Column) -> bool:
        """Whether the column is what every record has as `id`."""
        if self._key and self._key != (name,):
            return False
        if not self._key and name != "id":
            return False
        kind = chosen_type(column.type).type
        if kind not in {*_INTEGERS, FieldType.UUID} and not (kind is FieldType.DECIMAL and name == "id"):
            return False
        if kind not in _INTEGERS or name != "id":
            self._note(NoteRule.PRIMARY_KEY, name, column.line, columns=column.name, type=str(column.type))
        return True

    def _keys(self) -> None:
        """A key of several columns, or of one that is not a number, stays as unique."""
        names = [self._table.columns[one].name for one in self._key if one in self._table.columns]
        if len(self._key) > 1:
            self._unique[self._key] = None
            self._note(NoteRule.KEY_KEPT, "", self._table.line, columns=", ".join(names))

    # --- fields -----------------------------------------------------------------------------------------

    def _field(self, name: str, column: Column) -> dict[str, Any]:
        is_key = self._key == (name,)
        label = label_of(column.name, column.comment)
        element = self._element_ids[name]
        field: dict[str, Any] = {
            "id": element,
            "name": field_name(column.name),
            "label": label,
            "description": description_of(column.comment, label),
            "required": column.is_required or name in self._key,
            "unique": column.is_unique or is_key,
            "index": column.is_indexed and not (column.is_unique or is_key),
            **self._type(name, column),
        }
        if snake(column.name) == "id":
            field["name"], field["label"] = (
                f"{snake(entity_name(self._table.name.name)) or 'record'}_key",
                column.name,
            )
        if is_key:
            self._note(NoteRule.KEY_KEPT, name, column.line, columns=column.name)
        self._default(name, column, field)
        return field

    def _type(self, name: str, column: Column) -> dict[str, Any]:
        given = self._enumeration(column)
        if given is not None:
            found = enum_type(given.values)
            if found is None:
                self._note(NoteRule.COLUMN_TYPE, name, column.line, type=str(given.name), used="string")
            return found or {"type": "string"}
        chosen = chosen_type(column.type)
        if not chosen.is_exact:
            used = _shown(chosen)
            self._note(NoteRule.COLUMN_TYPE, name, column.line, type=str(column.type), used=used)
        parameters = {
            "length": chosen.length,
            "precision": chosen.precision,
            "scale": chosen.scale,
            "minimum": chosen.minimum,
        }
        return {"type": chosen.type.value, **{key: one for key, one in parameters.items() if one is not None}}

    def _enumeration(self, column: Column) -> Enumeration | None:
        if column.type.is_array:
            return None
        if column.type.values:
            pairs = tuple((value, "") for value in column.type.values)
            return Enumeration(name=QualifiedName(name=column.type.name), values=pairs)
        schema, _, name = column.type.name.rpartition(".")
        return self._schema.enumeration(QualifiedName(schema=schema, name=name), self._table.name.schema)

    def _default(self, name: str, column: Column, field: dict[str, Any]) -> None:
        generated = column.is_generated or simple_name(column.type.name) in GENERATED
        default = column.default
        if (
            default is None
            or is_no_default(default)
            or generated
            or default.text.lower().startswith("nextval")
        ):
            return
        value = default_of(EntityField.model_validate(field), default)
        if value is None:
            self._note(NoteRule.DEFAULT, name, column.line, value=default.text)
        else:
            field["default"] = value

    # --- relations --------------------------------------------------------------------------------------

    def _relation(self, reference: Reference, element: str, column: Column) -> dict[str, Any]:
        label = label_of(column.name, column.comment)
        required = column.is_required or column.name.lower() in self._key
        relation = self._end(reference, element, required)
        relation |= {"label": label, "description": description_of(column.comment, label)}
        if column.default is not None and not is_no_default(column.default):
            where = f"relations/{element}"
            self._notes.add(NoteRule.DEFAULT, f"{self._path}/{where}", column.line, value=column.default.text)
        return relation

    def _composite(self, reference: Reference, others: list[dict[str, Any]]) -> dict[str, Any]:
        columns = [self._table.columns[one] for one in reference.columns]
        taken = {one["id"] for one in others} | {*self._element_ids.values()}
        element = element_id(f"{reference.key.target.name}_reference", taken)
        return self._end(reference, element, all(one.is_required for one in columns))

    def _end(self, reference: Reference, element: str, required: bool) -> dict[str, Any]:
        action = reference.key.on_delete.upper()
        used = _ON_DELETE.get(action, "restrict")
        if action not in _ON_DELETE or (required and used == "setNull"):
            used = "restrict"
            path = f"{self._path}/relations/{element}"
            self._notes.add(NoteRule.ON_DELETE, path, reference.key.line, action=action, used=used)
        relation = {
            "id": element,
            "name": reference.name,
            "type": "OneToOne" if reference.is_one else "ManyToOne",
            "target": self._ids[reference.target],
            "required": required,
            "onDelete": used,
        }
        if reference.is_one and (reference.target, reference.source) in self._one_to_one:
            relation["inverseName"] = (
                f"{snake(entity_name(self._table.name.name))}_of_{snake(reference.name)}"
            )
        return relation

    # --- constraints ------------------------------------------------------------------------------------

    def _checks(self, fields: dict[str, dict[str, Any]]) -> None:
        for column in self._table.columns.values():
            for check in column.checks:
                if not applied(check, fields):
                    self._note(NoteRule.CHECK, column.name.lower(), column.line, check=check)
        for check, line in self._table.checks:
            if not applied(check, fields):
                self._note(NoteRule.CHECK, "", line, check=check)

    def _index(self, index: Index, fields: dict[str, dict[str, Any]]) -> None:
        columns = tuple(dict.fromkeys(column.lower() for column in index.columns))
        missing = [one for one in columns if one not in self._table.columns]
        single = fields.get(columns[0]) if len(columns) == 1 else None
        if columns == self._key or (len(columns) == 1 and columns[0] in self._by_column and not missing):
            return  # a reference has an index, or is one to one
        if index.expression or missing or not columns:
            shown = ", ".join(filter(None, [*index.columns, index.expression]))
            self._note(NoteRule.INDEX, "", index.line, columns=shown)
        elif single is not None:
            single["unique"] = single["unique"] or index.is_unique
            single["index"] = not single["unique"]
        elif index.is_unique and len(columns) <= _MAX_UNIQUE_FIELDS:
            self._unique[columns] = None
        elif len(columns) > 1:
            self._note(NoteRule.INDEX, "", index.line, columns=", ".join(index.columns))

    def _constraints(self, known: set[str]) -> list[dict[str, Any]]:
        """Those whose columns all became fields or relations."""
        kept = [columns for columns in self._unique if set(columns) <= known]
        for columns in [one for one in self._unique if one not in kept]:
            self._note(NoteRule.INDEX, "", self._table.line, columns=", ".join(columns))
        if len(kept) > _MAX_UNIQUE:
            self._note(
                NoteRule.TOO_MANY, "", self._table.line, most=str(_MAX_UNIQUE), what="uniqueConstraints"
            )
        return [{"fields": [self._element_ids[one] for one in columns]} for columns in kept[:_MAX_UNIQUE]]

    def _note(self, rule: NoteRule, column: str, line: int, **parameters: str) -> None:
        """At the field or relation of a column; "" is the entity."""
        element = self._element_ids.get(column)
        kind = "relations" if column in self._by_column else "fields"
        path = f"{self._path}/{kind}/{element}" if element else self._path
        self._notes.add(rule, path, line, **parameters)


def _shown(chosen: Chosen) -> str:
    sizes = [str(one) for one in (chosen.length, chosen.precision, chosen.scale) if one is not None]
    return f"{chosen.type.value}({', '.join(sizes)})" if sizes else chosen.type.value
