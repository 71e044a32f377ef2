"""Field types that models of resources share."""

from __future__ import annotations

from typing import Any

from pydantic import Field

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
"""No control characters. PostgreSQL can store no NUL."""


def unchanged(default: Any, *, is_enum: bool = False) -> Any:
    """A field of a change that may be absent: only what is set is read, so the default is never used."""
    return Field(default, strict=not is_enum, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
