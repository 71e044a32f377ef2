"""Field types that models of resources share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from gencode.http.base_models import UUID_PATTERN

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
"""No control characters. PostgreSQL can store no NUL."""
TEXT_WITHOUT_NUL = r"^[^\x00]*$"
RowId = Annotated[str, StringConstraints(pattern=UUID_PATTERN), Field(json_schema_extra={"format": "uuid"})]
"""The id of a row, such as that of a prompt template."""
NO_ROW_ID = "must be a UUID in lower case"
"""What is wrong with a value that is no RowId."""


def unchanged(default: Any, *, is_enum: bool = False) -> Any:
    """A field of a change that may be absent: only what is set is read, so the default is never used."""
    return Field(default, strict=not is_enum, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
