"""Properties of a schema become fields."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gencode.blueprints.importing.enumerations import enum_type
from gencode.blueprints.importing.notes import NoteList, NoteRule
from gencode.blueprints.importing.openapi.loading import Document, Schema, text_of
from gencode.blueprints.importing.relational.names import field_name, label_of
from gencode.blueprints.model import EntityField
from gencode.blueprints.types import MAX_LENGTH
from gencode.blueprints.validation.field_rules import fits

_FORMATS: Mapping[tuple[str, str], dict[str, Any]] = MappingProxyType(
    {
        ("string", "date"): {"type": "date"},
        ("string", "date-time"): {"type": "datetime"},
        ("string", "time"): {"type": "time"},
        ("string", "uuid"): {"type": "uuid"},
        ("string", "byte"): {"type": "binary"},
        ("string", "binary"): {"type": "binary"},
        ("string", "decimal"): {"type": "decimal", "precision": 18, "scale": 4},
        ("integer", "int64"): {"type": "bigint"},
        ("number", "decimal"): {"type": "decimal", "precision": 18, "scale": 4},
    }
)
_TYPES = MappingProxyType({"string": "string", "integer": "integer", "number": "float", "boolean": "boolean"})
_LIMITED = frozenset({"integer", "bigint", "decimal", "float"})
_MAX_NUMBER = 1e18


def field_document(
    document: Document, name: str, identity: str, given: Any, *, required: bool, path: str, notes: NoteList
) -> dict[str, Any]:
    schema = document.merged(given)
    is_nullable = bool(schema.get("nullable")) or "null" in _types(schema)
    label = label_of(name, text_of(schema.get("title")))
    field: dict[str, Any] = {
        "id": identity,
        "name": field_name(name),
        "label": label,
        "description": text_of(schema.get("description")),
        "required": required and not is_nullable,
        **field_type(schema, path, notes),
    }
    _limits(field, schema, path, notes)
    default = schema.get("default")
    if default is not None:
        if fits(EntityField.model_validate(field), default):
            field["default"] = default
        else:
            notes.add(NoteRule.DEFAULT, path, value=text_of(default) or type(default).__name__)
    return field


def field_type(schema: Schema, path: str, notes: NoteList) -> dict[str, Any]:
    """The type with its parameters. What has no equal is `json`, or a text where nothing is said."""
    kind = next((one for one in _types(schema) if one != "null"), "")
    values = schema.get("enum")
    if isinstance(values, list) and kind in ("string", ""):
        names = dict.fromkeys(text_of(one) for one in values if one is not None)
        if found := enum_type([(one, "") for one in names]):
            return found
        notes.add(NoteRule.COLUMN_TYPE, path, type="enum", used="string")
        return {"type": "string"}
    if (known := _FORMATS.get((kind, text_of(schema.get("format"))))) is not None:
        return {**known}
    if kind == "string" or not (kind or schema.get("properties")):
        length = schema.get("maxLength")
        if isinstance(length, int) and length > MAX_LENGTH:
            return {"type": "text"}
        return {"type": "string", **({"length": length} if isinstance(length, int) and length > 0 else {})}
    if kind in _TYPES:
        return {"type": _TYPES[kind]}
    notes.add(NoteRule.COLUMN_TYPE, path, type=kind or "object", used="json")
    return {"type": "json"}


def _limits(field: dict[str, Any], schema: Schema, path: str, notes: NoteList) -> None:
    for word in ("minimum", "maximum"):
        value, exclusive = schema.get(word), schema.get(f"exclusive{word.capitalize()}")
        if _is_number(exclusive):
            value, exclusive = exclusive, True
        if not isinstance(value, int | float) or not _is_number(value):
            continue
        if field["type"] in _LIMITED and not (exclusive and field["type"] not in ("integer", "bigint")):
            step = 0 if not exclusive else 1 if word == "minimum" else -1
            field[word] = float(value) + step
        else:
            notes.add(NoteRule.OPTION, path, option=f"{word} {value}")
    length = schema.get("minLength")
    if isinstance(length, int) and 0 < length <= MAX_LENGTH and field["type"] in ("string", "text"):
        field["minLength"] = length
    if isinstance(schema.get("pattern"), str):
        notes.add(NoteRule.PATTERN, path, pattern=schema["pattern"])


def _types(schema: Schema) -> list[str]:
    """3.1 has a list of types."""
    kind = schema.get("type")
    return (
        [text_of(one) for one in kind] if isinstance(kind, list) else [kind] if isinstance(kind, str) else []
    )


def is_array(schema: Schema) -> bool:
    return "array" in _types(schema)


def is_object(schema: Schema) -> bool:
    return bool(schema.get("properties")) and not is_array(schema)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MAX_NUMBER
