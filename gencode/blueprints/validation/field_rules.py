"""Parameters, defaults and limits of fields fit their types."""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from pydantic import JsonValue

from gencode.blueprints.findings import Finding, Fix
from gencode.blueprints.index import BlueprintIndex
from gencode.blueprints.model import EntityField
from gencode.blueprints.rules import Rule
from gencode.blueprints.types import (
    DEFAULT_LENGTH,
    MAX_KEY_LENGTH,
    MAX_PRECISION,
    NUMERIC,
    SIZED,
    TEXTS,
    UNINDEXABLE,
    FieldType,
)

_NOT_IN_VALUE = re.compile(r"[\x00-\x1f\x7f'\"\\]")
_ENUM_VALUE = re.compile(r"[^\x00-\x1f\x7f'\"\\]{1,100}\Z")


def check(index: BlueprintIndex) -> Iterator[Finding]:
    for entity in index.blueprint.data_models:
        for field in entity.fields:
            path = f"dataModels/{entity.id}/fields/{field.id}"
            yield from _type_parameters(path, field)
            yield from _enum_values(path, field)
            yield from _limits(path, field)
            yield from _index(path, field)
            if field.default is not None and not fits(field, field.default):
                yield Finding(
                    element=path,
                    rule=Rule.DEFAULT_VALUE,
                    parameters={"value": str(field.default)[:100], "type": field.type},
                    fix=Fix(changes={"default": None}),
                )


def _type_parameters(path: str, field: EntityField) -> Iterator[Finding]:
    given = {
        "length": field.length is not None and field.type not in SIZED,
        "precision": field.precision is not None and field.type is not FieldType.DECIMAL,
        "scale": field.scale is not None and field.type is not FieldType.DECIMAL,
        "minLength": field.min_length is not None and field.type not in TEXTS,
        "minimum": field.minimum is not None and field.type not in NUMERIC,
        "maximum": field.maximum is not None and field.type not in NUMERIC,
        "enumValues": bool(field.enum_values) and field.type is not FieldType.ENUM,
    }
    for parameter, is_wrong in given.items():
        if is_wrong:
            yield Finding(
                element=path,
                rule=Rule.TYPE_PARAMETER,
                parameters={"type": field.type, "parameter": parameter},
                fix=Fix(changes={parameter: None}),
            )
    precision, scale = field.column_digits
    if field.type is FieldType.DECIMAL and scale > precision:
        yield Finding(
            element=path,
            rule=Rule.SCALE,
            parameters={"scale": str(scale), "precision": str(precision)},
            fix=Fix(changes={"precision": min(precision + scale, MAX_PRECISION)}),
        )


def _enum_values(path: str, field: EntityField) -> Iterator[Finding]:
    if field.type is not FieldType.ENUM:
        return
    if not field.enum_values:
        yield Finding(element=path, rule=Rule.ENUM_VALUES, fix=Fix(changes={"type": "string"}))
    seen: set[str] = set()
    for value in field.enum_values:
        problem = ""
        if not _ENUM_VALUE.match(value.name) or value.name != value.name.strip():
            problem = "has quotes, control characters or outer spaces"
        elif value.name.lower() in seen:
            problem = "is there twice (MySQL ignores case)"
        seen.add(value.name.lower())
        if problem:
            yield Finding(
                element=path,
                rule=Rule.ENUM_VALUE,
                parameters={"value": repr(value.name), "problem": problem},
                fix=_usable_values(field),
            )


def _usable_values(field: EntityField) -> Fix:
    """The values without what they cannot have; of two that are then equal, the first."""
    values: dict[str, dict[str, JsonValue]] = {}
    for value in field.enum_values:
        name = " ".join(_NOT_IN_VALUE.sub("", value.name).split())
        if name:
            values.setdefault(name.lower(), {"name": name, "label": value.label or value.name.strip()[:200]})
    kept: list[JsonValue] = [
        one if one["label"] != one["name"] else {"name": one["name"]} for one in values.values()
    ]
    return Fix(changes={"enumValues": kept})


def _limits(path: str, field: EntityField) -> Iterator[Finding]:
    pairs = ((field.minimum, field.maximum, "maximum"), (field.min_length, field.length, "minLength"))
    for lower, upper, wrong in pairs:
        if lower is not None and upper is not None and lower > upper:
            yield Finding(
                element=path,
                rule=Rule.RANGE,
                parameters={"lower": f"{lower:g}", "upper": f"{upper:g}"},
                fix=Fix(changes={wrong: None}),
            )


def _index(path: str, field: EntityField) -> Iterator[Finding]:
    if not (field.unique or field.index):
        return
    if field.type in UNINDEXABLE:
        yield Finding(
            element=path,
            rule=Rule.NOT_INDEXABLE,
            parameters={"type": field.type},
            fix=Fix(changes={"type": "string", "length": DEFAULT_LENGTH})
            if field.type is FieldType.TEXT
            else Fix(changes={"unique": False, "index": False}),
        )
    elif field.type is FieldType.STRING and (field.column_length or 0) > MAX_KEY_LENGTH:
        yield Finding(
            element=path,
            rule=Rule.KEY_LENGTH,
            parameters={"most": str(MAX_KEY_LENGTH), "length": str(field.length)},
            fix=Fix(changes={"length": MAX_KEY_LENGTH}),
        )


def fits(field: EntityField, value: JsonValue) -> bool:
    """Whether a JSON value is a value of the field's type, within its limits."""
    try:
        return _READERS[field.type](field, value) and _within(field, value)
    except (ValueError, InvalidOperation, OverflowError):
        return False


def _within(field: EntityField, value: JsonValue) -> bool:
    if field.type not in NUMERIC:
        return True
    number = float(value)  # type: ignore[arg-type]  # a number, or a text that was read as one
    return (field.minimum is None or number >= field.minimum) and (
        field.maximum is None or number <= field.maximum
    )


def _is_integer(bits: int) -> Callable[[EntityField, JsonValue], bool]:
    return lambda _field, value: (
        isinstance(value, int)
        and not isinstance(value, bool)
        and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
    )


def _is_decimal(field: EntityField, value: JsonValue) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    number = Decimal(str(value))
    if not number.is_finite():
        return False
    exponent = number.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    whole = max(0, number.adjusted() + 1) if number else 0
    most, most_places = field.column_digits
    return places <= most_places and whole <= most - most_places


def _is_float(_field: EntityField, value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(field: EntityField, value: JsonValue) -> bool:
    return isinstance(value, str) and (field.min_length or 0) <= len(value) <= (field.column_length or 0)


def _is_read(read: Callable[[str], object]) -> Callable[[EntityField, JsonValue], bool]:
    return lambda _field, value: isinstance(value, str) and read(value) is not None


def _is_enum_value(field: EntityField, value: JsonValue) -> bool:
    return any(value == known.name for known in field.enum_values)


_READERS: Mapping[FieldType, Callable[[EntityField, JsonValue], bool]] = MappingProxyType(
    {
        FieldType.STRING: _is_text,
        FieldType.TEXT: lambda _field, _value: False,  # MySQL takes no default for a text
        FieldType.INTEGER: _is_integer(32),
        FieldType.BIGINT: _is_integer(64),
        FieldType.DECIMAL: _is_decimal,
        FieldType.FLOAT: _is_float,
        FieldType.BOOLEAN: lambda _field, value: isinstance(value, bool),
        FieldType.DATE: _is_read(dt.date.fromisoformat),
        FieldType.TIME: _is_read(dt.time.fromisoformat),
        FieldType.DATETIME: lambda _field, value: (
            value == "now" or _is_read(dt.datetime.fromisoformat)(_field, value)
        ),
        FieldType.UUID: _is_read(uuid.UUID),
        FieldType.JSON: lambda _field, _value: False,
        FieldType.BINARY: lambda _field, _value: False,
        FieldType.ENUM: _is_enum_value,
    }
)
