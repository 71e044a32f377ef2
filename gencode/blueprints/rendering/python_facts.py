"""How an entity is written in Python: columns, annotations, schemas, and what must be imported.

Adds `python` to each field and entity of the context of a project.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from gencode.blueprints.rendering.literals import python as literal

Field = Mapping[str, Any]

_COLUMNS: Mapping[str, Callable[[Field], str]] = MappingProxyType(
    {
        "string": lambda field: f"sa.String({field['length']})",
        "text": lambda _field: "sa.Text()",
        "integer": lambda _field: "sa.Integer()",
        "bigint": lambda _field: "sa.BigInteger()",
        "decimal": lambda field: f"sa.Numeric({field['precision']}, {field['scale']})",
        "float": lambda _field: "sa.Double()",
        "boolean": lambda _field: "sa.Boolean()",
        "date": lambda _field: "sa.Date()",
        "time": lambda _field: "sa.Time()",
        "datetime": lambda _field: "UtcDateTime()",
        "uuid": lambda _field: "sa.Uuid()",
        "json": lambda _field: "sa.JSON(none_as_null=True)",
        "binary": lambda field: f"sa.LargeBinary({field['length'] or ''})",
        "enum": lambda field: _enum_column(field),
    }
)
_MODEL_TYPES = MappingProxyType(
    {
        "string": "str",
        "text": "str",
        "enum": "str",
        "integer": "int",
        "bigint": "int",
        "decimal": "Decimal",
        "float": "float",
        "boolean": "bool",
        "date": "dt.date",
        "time": "dt.time",
        "datetime": "dt.datetime",
        "uuid": "UUID",
        "json": "Any",
        "binary": "bytes",
    }
)
_SCHEMA_TYPES = MappingProxyType(
    {
        "string": "Text",
        "text": "Text",
        "integer": "Number",
        "bigint": "LargeNumber",
        "decimal": "Decimal",
        "float": "Real",
        "boolean": "bool",
        "date": "dt.date",
        "time": "dt.time",
        "datetime": "Moment",
        "uuid": "UUID",
        "json": "Json",
        "binary": "Binary",
    }
)
_SHARED_TYPES = frozenset({"Text", "Number", "LargeNumber", "Real", "Moment", "Json", "Binary"})
"""Declared by `app.schemas`."""
MAX_TEXT = 16_000
"""Characters of a text field: MySQL's TEXT holds 65,535 bytes."""
MAX_BINARY = 65_535


def add_python_facts(context: dict[str, Any]) -> None:
    for entity in context["entities"]:
        for field in entity["fields"]:
            field["python"] = _facts(field)
        entity["python"] = _imports(context["entities"], entity)


def _facts(field: Field) -> dict[str, Any]:
    optional = "" if field["required"] else " | None"
    return {
        "column": _COLUMNS[field["type"]](field),
        "annotation": f"Mapped[{_MODEL_TYPES[field['type']]}{optional}]",
        "default": None if field["default"] is None else _default(field),
        "input": _schema(field) + optional,
        "output": ("Binary" if field["type"] == "binary" else _MODEL_TYPES[field["type"]]) + optional,
        "input_default": _input_default(field),
        "sample": _sample(field),
    }


def _enum_column(field: Field) -> str:
    values = ", ".join(map(literal, field["values"]))
    name = literal(field["check"])
    return f"sa.Enum({values}, name={name}, native_enum=False, create_constraint=True, length=100)"


def _default(field: Field) -> str:
    value = field["default"]
    makers: Mapping[str, Callable[[], str]] = {
        "decimal": lambda: f"Decimal({literal(str(value))})",
        "date": lambda: f"dt.date.fromisoformat({literal(value)})",
        "time": lambda: f"dt.time.fromisoformat({literal(value)})",
        "datetime": lambda: "utc_now" if value == "now" else f"dt.datetime.fromisoformat({literal(value)})",
        "uuid": lambda: f"UUID({literal(value)})",
    }
    return makers.get(field["type"], lambda: literal(value))()


def _input_default(field: Field) -> str:
    """What a body that leaves the field out means; "" where it must not."""
    if field["default"] is None:
        return "" if field["required"] else " = None"
    if field["type"] == "datetime" and field["default"] == "now":
        return " = Field(default_factory=utc_now)"
    return f" = {_default(field)}"


def _schema(field: Field) -> str:
    if field["type"] == "enum":
        return f"Literal[{', '.join(map(literal, field['values']))}]"
    limits = _limits(field)
    name = _SCHEMA_TYPES[field["type"]]
    return f"Annotated[{name}, Field({', '.join(limits)})]" if limits else name


def _limits(field: Field) -> list[str]:
    limits = {
        "string": [f"min_length={field['min_length']}", f"max_length={field['length']}"],
        "text": [f"min_length={field['min_length']}", f"max_length={MAX_TEXT}"],
        "decimal": [
            f"max_digits={field['precision']}",
            f"decimal_places={field['scale']}",
            "allow_inf_nan=False",
        ],
        "binary": [f"max_length={field['length'] or MAX_BINARY}"],
    }.get(field["type"], [])
    bounds = (("ge", field["minimum"]), ("le", field["maximum"]))
    return [*limits, *(f"{name}={value!r}" for name, value in bounds if value is not None)]


def _sample(field: Field) -> str:
    """An expression of the tests: another value at each call, as JSON has it."""
    lowest, highest = field["minimum"], field["maximum"]
    samples: Mapping[str, Callable[[], str]] = {
        "string": lambda: f"values.text({field['length']}, {field['min_length']})",
        "text": lambda: f"values.text({MAX_TEXT}, {field['min_length']})",
        "integer": lambda: f"values.integer({_lowest(lowest, highest)}, {_highest(lowest, highest)})",
        "bigint": lambda: f"values.integer({_lowest(lowest, highest)}, {_highest(lowest, highest)})",
        "decimal": lambda: f"values.decimal({field['precision']}, {field['scale']}, {lowest!r}, {highest!r})",
        "float": lambda: f"values.real({lowest!r}, {highest!r})",
        "boolean": lambda: "values.number() % 2 == 0",
        "date": lambda: "values.date()",
        "time": lambda: "values.time()",
        "datetime": lambda: "values.moment()",
        "uuid": lambda: "values.identifier()",
        "json": lambda: '{"value": values.number()}',
        "binary": lambda: "values.binary()",
        "enum": lambda: f"{literal(field['values'])}[values.number() % {len(field['values'])}]",
    }
    return samples[field["type"]]()


def sample_count(field: Field) -> float:
    """How many values samples have."""
    lowest, highest = field["minimum"], field["maximum"]
    counts: Mapping[str, Callable[[], float]] = {
        "string": lambda: 36.0 ** float(min(field["length"], 100)),
        "integer": lambda: _highest(lowest, highest) - _lowest(lowest, highest) + 1,
        "bigint": lambda: _highest(lowest, highest) - _lowest(lowest, highest) + 1,
        "decimal": lambda: _decimals(field),
        "float": lambda: 97.0,
        "boolean": lambda: 2,
        "date": lambda: 3000,
        "enum": lambda: len(field["values"]),
    }
    return float(counts.get(field["type"], lambda: math.inf)())


def _decimals(field: Field) -> float:
    scale: float = 10.0 ** field["scale"]
    most: float = 10.0 ** (field["precision"] - field["scale"])
    lowest: float = field["minimum"] if field["minimum"] is not None else 0
    highest: float = min(most, field["maximum"]) if field["maximum"] is not None else most
    return (highest - lowest) * scale if highest > lowest else most * scale


def _lowest(lowest: float | None, highest: float | None) -> int:
    if lowest is not None:
        return math.ceil(lowest)
    return 0 if highest is None or highest >= 0 else -(2**31)


def _highest(lowest: float | None, highest: float | None) -> int:
    if highest is not None:
        return math.floor(highest)
    return 2**31 - 1 if lowest is None or lowest < 2**31 else 2**53 - 1


def _imports(entities: Iterable[Field], entity: Field) -> dict[str, Any]:
    return {**_of_model(entities, entity), **_of_schema(entity), **_of_api(entity), **_of_tests(entity)}


def _kinds(entity: Field) -> set[str]:
    return {field["type"] for field in entity["fields"]}


def _has_now(entity: Field) -> bool:
    return any(field["type"] == "datetime" and field["default"] == "now" for field in entity["fields"])


def _of_model(entities: Iterable[Field], entity: Field) -> dict[str, Any]:
    """What the module of the model imports; `uses_...` are of the schemas, too."""
    fields, kinds, has_now = entity["fields"], _kinds(entity), _has_now(entity)
    related = {
        *(reference["target_module"] for reference in entity["references"]),
        *(inverse["source_module"] for inverse in entity["inverses"]),
        *(collection["target_module"] for collection in entity["collections"]),
    } - {entity["module"]}
    has_relations = bool(entity["references"] or entity["inverses"] or entity["collections"])
    has_columns = bool(fields or entity["references"])
    orm = [*(["mapped_column"] if has_columns else []), *(["relationship"] if has_relations else [])]
    return {
        "uses_dt": bool(kinds & {"date", "time", "datetime"}),
        "uses_decimal": "decimal" in kinds,
        "uses_uuid": "uuid" in kinds,
        "uses_json": "json" in kinds,
        "uses_now": has_now,
        "uses_sa": has_columns,
        "orm": ["Mapped", *orm] if orm else [],
        "database": [
            "Base",
            *(["Key"] if entity["references"] else []),
            *(["UtcDateTime"] if "datetime" in kinds else []),
            *(["utc_now"] if has_now else []),
        ],
        "others": sorted(
            (other["module"], other["name"]) for other in entities if other["module"] in related
        ),
        "is_constrained": bool(
            entity["uniques"]
            or entity["references"]
            or any(field["unique"] or field["index"] for field in fields)
        ),
    }


def _of_schema(entity: Field) -> dict[str, Any]:
    fields, kinds = entity["fields"], _kinds(entity)
    written = [_schema(field) for field in fields]
    shared = {name for field in fields if (name := _SCHEMA_TYPES.get(field["type"])) in _SHARED_TYPES}
    has_ids = bool(entity["references"] or entity["collections"])
    return {
        "schema_typing": [
            *(["Annotated"] if any("Annotated[" in schema for schema in written) else []),
            *(["Any"] if "json" in kinds else []),
            *(["Literal"] if "enum" in kinds else []),
        ],
        "schema_names": sorted({"Input", "Output", *shared, *(["Id"] if has_ids else [])}),
        "schema_uses_field": _has_now(entity)
        or any("Field(" in schema for schema in written)
        or bool(entity["collections"]),
    }


def _of_api(entity: Field) -> dict[str, Any]:
    related = [*entity["references"], *entity["collections"]]
    functions = {
        "find",
        "listed",
        *(["referenced"] if entity["references"] else []),
        *(["collected"] if entity["collections"] else []),
    }
    return {
        "record_functions": sorted(functions),
        "api_models": sorted({entity["name"], *(one["target"] for one in related)}),
    }


def _of_tests(entity: Field) -> dict[str, Any]:
    return {
        "required": [
            *(field["name"] for field in entity["fields"] if field["required"] and field["default"] is None),
            *(reference["column"] for reference in entity["references"] if reference["required"]),
        ],
    }
