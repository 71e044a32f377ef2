"""Texts as values of other types, in SQL: what does not have the form of one becomes NULL.

PostgreSQL 15 has no cast that fails quietly, so each text is matched first. Days are added to the first
of the month, as 31 February has the form of a date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gencode.blueprints.migrations.numbers import decimal, whole
from gencode.blueprints.migrations.schema import Column

_DAY = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
_UUID = "[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
_REAL = "[+-]?[0-9]{1,30}([.][0-9]{1,30})?"
_TRUE = "'true', 't', 'yes', 'y', 'on', '1'"
_FALSE = "'false', 'f', 'no', 'n', 'off', '0'"


def parsed(after: Column, text: str, *, is_mysql: bool) -> str:
    return _PARSERS[after.kind](after, text, is_mysql)


def _when(text: str, pattern: str, value: str, is_mysql: bool) -> str:
    return f"CASE WHEN {text} {'REGEXP' if is_mysql else '~'} '^{pattern}$' THEN {value} END"


def _whole(after: Column, text: str, is_mysql: bool) -> str:
    exact = f"CAST(TRIM({text}) AS {'DECIMAL(65, 0)' if is_mysql else 'NUMERIC'})"
    return _when(f"TRIM({text})", "[+-]?[0-9]{1,19}", whole(after, exact, is_mysql=is_mysql), is_mysql)


def _decimal(after: Column, text: str, is_mysql: bool) -> str:
    exact = f"CAST(TRIM({text}) AS {'DECIMAL(65, 30)' if is_mysql else 'NUMERIC'})"
    return _when(f"TRIM({text})", _REAL, decimal(after, exact, is_mysql=is_mysql), is_mysql)


def _real(_after: Column, text: str, is_mysql: bool) -> str:
    type_ = "DOUBLE" if is_mysql else "DOUBLE PRECISION"
    return _when(
        f"TRIM({text})", f"{_REAL}([eE][+-]?[0-9]{{1,2}})?", f"CAST(TRIM({text}) AS {type_})", is_mysql
    )


def _boolean(_after: Column, text: str, _is_mysql: bool) -> str:
    word = f"LOWER(TRIM({text}))"
    return f"CASE WHEN {word} IN ({_TRUE}) THEN TRUE WHEN {word} IN ({_FALSE}) THEN FALSE END"


def _day(text: str, is_mysql: bool) -> str:
    """A date that exists, of a text that begins with the form of one; else NULL."""
    days = f"CAST(SUBSTR({text}, 9, 2) AS {'UNSIGNED' if is_mysql else 'INTEGER'}) - 1"
    if is_mysql:
        made = f"DATE_ADD(CAST(CONCAT(SUBSTR({text}, 1, 8), '01') AS DATE), INTERVAL {days} DAY)"
        same = f"DATE_FORMAT({made}, '%Y-%m-%d') = SUBSTR({text}, 1, 10)"
    else:
        made = f"(CAST(SUBSTR({text}, 1, 8) || '01' AS DATE) + ({days}))"
        same = f"TO_CHAR({made}, 'YYYY-MM-DD') = SUBSTR({text}, 1, 10)"
    return f"CASE WHEN {same} THEN {made} END"


def _date(_after: Column, text: str, is_mysql: bool) -> str:
    return _when(text, _DAY, _day(text, is_mysql), is_mysql)


def _time(_after: Column, text: str, is_mysql: bool) -> str:
    return _when(text, _CLOCK, f"CAST({text} AS TIME)", is_mysql)


def _datetime(_after: Column, text: str, is_mysql: bool) -> str:
    day = _day(text, is_mysql)
    clock = f"REPLACE(SUBSTR({text}, 12), 'Z', '')"
    if is_mysql:
        at_midnight, moment = f"TIMESTAMP({day})", f"TIMESTAMP({day}, {clock})"
    else:
        at_midnight = f"CAST({day} AS TIMESTAMP) AT TIME ZONE 'UTC'"
        moment = f"({day} + CAST({clock} AS TIME)) AT TIME ZONE 'UTC'"
    matches = "REGEXP" if is_mysql else "~"
    return (
        f"CASE WHEN {text} {matches} '^{_DAY}$' THEN {at_midnight} "
        f"WHEN {text} {matches} '^{_DAY}[T ]{_CLOCK}Z?$' THEN {moment} END"
    )


def _uuid(_after: Column, text: str, is_mysql: bool) -> str:
    value = f"LOWER(REPLACE({text}, '-', ''))" if is_mysql else f"CAST({text} AS UUID)"
    return _when(text, _UUID, value, is_mysql)


def _json(_after: Column, text: str, is_mysql: bool) -> str:
    return f"JSON_QUOTE({text})" if is_mysql else f"TO_JSON({text})"


def _binary(after: Column, text: str, is_mysql: bool) -> str:
    if not is_mysql:
        return f"CONVERT_TO({text}, 'UTF8')"
    return f"CASE WHEN OCTET_LENGTH({text}) <= {after.length or 65_535} THEN CAST({text} AS BINARY) END"


_PARSERS: Mapping[str, Callable[[Column, str, bool], str]] = MappingProxyType(
    {
        "integer": _whole,
        "bigint": _whole,
        "decimal": _decimal,
        "float": _real,
        "boolean": _boolean,
        "date": _date,
        "time": _time,
        "datetime": _datetime,
        "uuid": _uuid,
        "json": _json,
        "binary": _binary,
    }
)
