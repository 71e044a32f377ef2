"""Types of columns, as databases name them, become types of fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gencode.blueprints.importing.relational.schema import ColumnType
from gencode.blueprints.types import DEFAULT_LENGTH, MAX_LENGTH, MAX_PRECISION, MAX_SCALE, FieldType


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A type of field with its parameters. `is_exact` is False where a note says what was changed."""

    type: FieldType
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    minimum: float | None = None
    is_exact: bool = True


def _named(names: str, kind: FieldType) -> dict[str, FieldType]:
    return dict.fromkeys(names.split(), kind)


_TYPES: Mapping[str, FieldType] = MappingProxyType(
    {
        **_named(
            "int integer smallint tinyint mediumint int2 int4 int32 int16 serial smallserial",
            FieldType.INTEGER,
        ),
        **_named(
            "serial2 serial4 year number_int uint usmallint utinyint umediumint short", FieldType.INTEGER
        ),
        **_named("bigint int8 int64 bigserial serial8 long ubigint unsigned_big_int", FieldType.BIGINT),
        **_named("decimal numeric dec fixed number money smallmoney bignumeric udecimal", FieldType.DECIMAL),
        **_named(
            "float real double float4 float8 double_precision binary_float binary_double", FieldType.FLOAT
        ),
        **_named("bool boolean bit", FieldType.BOOLEAN),
        **_named("varchar varchar2 nvarchar nvarchar2 char nchar character bpchar string", FieldType.STRING),
        **_named("character_varying char_varying varying_character national_character", FieldType.STRING),
        **_named("native_character name sysname str", FieldType.STRING),
        **_named("text tinytext mediumtext longtext clob nclob ntext", FieldType.TEXT),
        **_named("date date32", FieldType.DATE),
        **_named("time timetz time_with_time_zone time_without_time_zone", FieldType.TIME),
        **_named("datetime datetime2 timestamp timestamptz timestampltz smalldatetime", FieldType.DATETIME),
        **_named("timestamp_ntz timestampntz timestamp_tz timestamp_ltz datetimeoffset", FieldType.DATETIME),
        **_named("uuid uniqueidentifier guid", FieldType.UUID),
        **_named("json jsonb object variant", FieldType.JSON),
        **_named(
            "bytea blob tinyblob mediumblob longblob binary varbinary image raw long_raw long_varbinary",
            FieldType.BINARY,
        ),
    }
)
_APPROXIMATE: Mapping[str, Chosen] = MappingProxyType(
    {
        "citext": Chosen(type=FieldType.STRING, length=DEFAULT_LENGTH, is_exact=False),
        "inet": Chosen(type=FieldType.STRING, length=45, is_exact=False),
        "cidr": Chosen(type=FieldType.STRING, length=45, is_exact=False),
        "macaddr": Chosen(type=FieldType.STRING, length=17, is_exact=False),
        "interval": Chosen(type=FieldType.STRING, length=50, is_exact=False),
        "set": Chosen(type=FieldType.STRING, length=DEFAULT_LENGTH, is_exact=False),
        "rowversion": Chosen(type=FieldType.BINARY, length=8, is_exact=False),
        "rowid": Chosen(type=FieldType.STRING, length=18, is_exact=False),
        "hstore": Chosen(type=FieldType.JSON, is_exact=False),
        "array": Chosen(type=FieldType.JSON, is_exact=False),
        "money": Chosen(type=FieldType.DECIMAL, precision=19, scale=4),
        "smallmoney": Chosen(type=FieldType.DECIMAL, precision=10, scale=4),
    }
)
_UNKNOWN = Chosen(type=FieldType.TEXT, is_exact=False)
_PRECISION, _SCALE = 18, 4
"""Of a decimal without digits."""
_INTEGER_DIGITS, _BIGINT_DIGITS = 9, 18
_SPACES = re.compile(r"[\s_]+")
GENERATED = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})


def chosen_type(column: ColumnType) -> Chosen:
    """Of a type that has no equal, the nearest that takes every value."""
    if column.is_array:
        return Chosen(type=FieldType.JSON, is_exact=False)
    name = simple_name(column.name)
    if name in _APPROXIMATE:
        return _APPROXIMATE[name]
    kind = _TYPES.get(name)
    if kind is None:
        return _UNKNOWN
    sizes = [int(one) for one in column.arguments if one.isdecimal() and len(one) < 10]
    return _with_sizes(name, kind, sizes, column)


def is_known(name: str) -> bool:
    """Whether all the words of the name are a type: "unsigned big int"."""
    return _SPACES.sub("_", name.strip().lower()) in {*_TYPES, *_APPROXIMATE}


def simple_name(name: str) -> str:
    """In lower case, without words that change nothing: "TIMESTAMP WITH TIME ZONE" is "timestamp"."""
    text = _SPACES.sub("_", name.strip().lower()).removesuffix("_unsigned").removesuffix("_zerofill")
    return text if text in _TYPES or text in _APPROXIMATE else text.partition("_")[0]


def _with_sizes(name: str, kind: FieldType, sizes: list[int], column: ColumnType) -> Chosen:
    if kind is FieldType.STRING:
        return _string(sizes, column)
    if kind is FieldType.BINARY:
        fits = bool(sizes) and 0 < sizes[0] <= MAX_LENGTH
        return Chosen(type=kind, length=sizes[0] if fits else None)
    if kind is FieldType.DECIMAL:
        return _decimal(name, sizes)
    if name == "tinyint" and sizes == [1]:
        return Chosen(type=FieldType.BOOLEAN)
    if name == "bit" and sizes and sizes[0] > 1:
        return Chosen(type=FieldType.STRING, length=min(sizes[0], MAX_LENGTH), is_exact=False)
    if column.is_unsigned and kind is FieldType.INTEGER:
        kind = FieldType.BIGINT if name in ("int", "integer", "uint", "int4") else FieldType.INTEGER
        return Chosen(type=kind, minimum=0)
    return Chosen(type=kind, minimum=0 if column.is_unsigned and kind is FieldType.BIGINT else None)


def _string(sizes: list[int], column: ColumnType) -> Chosen:
    if any(one.strip("'\"").lower() == "max" for one in column.arguments):
        return Chosen(type=FieldType.TEXT)
    if not sizes:
        return Chosen(type=FieldType.STRING)
    if sizes[0] > MAX_LENGTH:
        return Chosen(type=FieldType.TEXT)
    return Chosen(type=FieldType.STRING, length=max(sizes[0], 1))


def _decimal(name: str, sizes: list[int]) -> Chosen:
    """NUMBER(10) of Oracle is an integer."""
    if not sizes:
        return Chosen(type=FieldType.DECIMAL, precision=_PRECISION, scale=_SCALE, is_exact=False)
    scale = sizes[1] if len(sizes) > 1 else 0
    if name == "number" and not scale and sizes[0] <= _BIGINT_DIGITS:
        return Chosen(type=FieldType.INTEGER if sizes[0] <= _INTEGER_DIGITS else FieldType.BIGINT)
    precision = min(max(sizes[0], scale, 1), MAX_PRECISION)
    return Chosen(
        type=FieldType.DECIMAL,
        precision=precision,
        scale=min(scale, MAX_SCALE),
        is_exact=precision >= sizes[0] and scale <= MAX_SCALE,
    )
