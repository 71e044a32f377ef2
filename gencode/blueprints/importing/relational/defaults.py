"""Defaults of columns become JSON values of the field's type."""

from __future__ import annotations

import re

from pydantic import JsonValue

from gencode.blueprints.importing.relational.schema import Default
from gencode.blueprints.model import EntityField
from gencode.blueprints.types import FieldType
from gencode.blueprints.validation.field_rules import fits

_NOW = re.compile(
    r"(?:now|current_timestamp|getdate|sysdate|systimestamp|localtimestamp|getutcdate|sysdatetime|utc_timestamp"
    r"|current_date|statement_timestamp|clock_timestamp)\s*(?:\(\s*\d?\s*\))?\Z",
    re.I,
)
_CAST = re.compile(r"('(?:[^'])*'|-?[0-9.]+|\w+)\s*::\s*[\w .\"()\[\]]+\Z")
_INTEGER = re.compile(r"-?\d{1,18}\Z")
_NUMBER = re.compile(r"-?\d{1,60}(?:\.\d{1,30})?\Z")
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes", "b'1'"}), frozenset({"false", "f", "0", "no", "b'0'"})


def is_no_default(default: Default | None) -> bool:
    return default is None or (not default.is_text and default.text.strip("() ").lower() in ("null", ""))


def default_of(field: EntityField, default: Default) -> JsonValue:
    """None where it has no equal."""
    value = _value(field, _without_cast(default))
    return value if value is not None and fits(field, value) else None


def _without_cast(default: Default) -> Default:
    """`'new'::status` and `('new')` are 'new'."""
    if default.is_text:
        return default
    text = default.text.strip()
    while text.startswith("(") and text.endswith(")") and len(text) > 1:
        text = text[1:-1].strip()
    if match := _CAST.match(text):
        text = match[1]
    if len(text) > 1 and text[0] == text[-1] == "'":
        return Default(text=text[1:-1].replace("''", "'"), is_text=True)
    return Default(text=text)


def _value(field: EntityField, default: Default) -> JsonValue:
    text = default.text
    if field.type in (FieldType.INTEGER, FieldType.BIGINT):
        return int(text) if _INTEGER.match(text) else None
    if field.type is FieldType.DECIMAL:
        return text if _NUMBER.match(text) else None
    if field.type is FieldType.FLOAT:
        return float(text) if _NUMBER.match(text) else None
    if field.type is FieldType.BOOLEAN:
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else None
    if field.type is FieldType.DATETIME and not default.is_text:
        return "now" if _NOW.match(text) else None
    if field.type is FieldType.ENUM:
        return text.rpartition(".")[2].strip('"') if not default.is_text else text
    return text if default.is_text or _NUMBER.match(text) else None
