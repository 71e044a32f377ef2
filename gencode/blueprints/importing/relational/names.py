"""Names of tables and columns become names of entities, fields and relations, with labels.

A name that has no identifier in it is kept: the validator proposes one (pinyin), with the name as the label.
"""

from __future__ import annotations

import re
from collections.abc import Container

from gencode.blueprints.identifiers import IDENTIFIER, MAX_IDENTIFIER, is_identifier, pascal, singular, snake

_NOT_IN_ID = re.compile(r"[\x00-\x1f/~\\]+")
_MAX_ID = 190
_REFERENCE = re.compile(r"(?i)_?(?:ids?|fk|uuid|guid)\Z")
_MAX_LABEL = 60
MAX_TABLE = 60
"""Characters of the name of a table; PostgreSQL takes 63 bytes."""


def element_id(name: str, taken: Container[str] = ()) -> str:
    """The name without what an id cannot have; with a number where it is taken."""
    base = _NOT_IN_ID.sub("_", name)[:_MAX_ID] or "unnamed"
    identity, number = base, 2
    while identity in taken:
        identity, number = f"{base}_{number}", number + 1
    return identity


def entity_name(table: str) -> str:
    """In the singular: `order_items` is OrderItem."""
    if not is_readable(table):
        return table[:200]
    return pascal(singular(snake(table)))[:MAX_IDENTIFIER]


def field_name(column: str) -> str:
    if is_identifier(column) or not is_readable(column):
        return column[:200]
    return snake(column)[:MAX_IDENTIFIER].strip("_")


def relation_name(column: str) -> str:
    """`customer_id` and `customerId` are customer; the column gets `_id` back when it is rendered."""
    return field_name(_REFERENCE.sub("", column) or column)


def label_of(name: str, comment: str = "") -> str:
    """A short comment in another script is what people call the element; else the name, if no identifier."""
    line = comment.strip()
    if line and not line.isascii() and len(line) <= _MAX_LABEL and "\n" not in line:
        return line
    return "" if IDENTIFIER.match(name) else name.strip()[:200]


def description_of(comment: str, label: str) -> str:
    return "" if comment.strip() == label else comment.strip()[:10_000]


def is_table_name(name: str) -> bool:
    """It may be longer than other identifiers, because nothing is put before or after it."""
    return IDENTIFIER.match(name) is not None and len(name) <= MAX_TABLE and not name.endswith("_")


def is_readable(name: str) -> bool:
    """Whether an identifier follows from the name."""
    return name.isascii() and snake(name)[:1].isalpha()
