"""The types of fields: which parameters each takes, and which texts of it are written in JSON."""

from __future__ import annotations

from enum import StrEnum


class FieldType(StrEnum):
    """`decimal` is exact and travels as a text in JSON; `datetime` has a time zone; `json` is any value."""

    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    UUID = "uuid"
    JSON = "json"
    BINARY = "binary"
    ENUM = "enum"


class RelationType(StrEnum):
    """Read from the entity that declares the relation: `ManyToOne` of Order to Customer means that many
    orders
    have one customer."""

    ONE_TO_ONE = "OneToOne"
    ONE_TO_MANY = "OneToMany"
    MANY_TO_ONE = "ManyToOne"
    MANY_TO_MANY = "ManyToMany"


class OnDelete(StrEnum):
    """What happens to a row when the row that it refers to is deleted."""

    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "setNull"

    @property
    def sql(self) -> str:
        return "SET NULL" if self is OnDelete.SET_NULL else self.value.upper()


class Action(StrEnum):
    """What a component or an API does with an entity."""

    LIST = "list"
    GET = "get"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class HttpMethod(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


SIZED = frozenset({FieldType.STRING, FieldType.BINARY})
"""Types that have a `length`."""
TEXTS = frozenset({FieldType.STRING, FieldType.TEXT})
"""Types that have a `min_length`."""
NUMERIC = frozenset({FieldType.INTEGER, FieldType.BIGINT, FieldType.DECIMAL, FieldType.FLOAT})
"""Types that have a `minimum` and a `maximum`."""
UNINDEXABLE = frozenset({FieldType.TEXT, FieldType.JSON, FieldType.BINARY})
"""Types that MySQL and MariaDB cannot index, or only in part: no field of these is unique or has an index."""
DEFAULT_LENGTH = 255
DEFAULT_PRECISION = 18
DEFAULT_SCALE = 2
MAX_KEY_LENGTH = 768
"""Characters of 4 bytes that an index of InnoDB holds (3,072 bytes)."""
MAX_LENGTH = 16_000
"""Characters of a string; a row of MySQL holds 65,535 bytes."""
MAX_PRECISION = 65
"""Digits of a decimal in MySQL; PostgreSQL has more."""
MAX_SCALE = 30
