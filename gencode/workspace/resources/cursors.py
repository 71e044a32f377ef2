"""The cursor of a page: where the page before ended, as a text that clients pass back unchanged."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase


def cursor_after(value: str | datetime, row_id: str) -> str:
    """`value`: of the column that the list is sorted by."""
    text = value.isoformat() if isinstance(value, datetime) else value
    return urlsafe_b64encode(json.dumps([text, row_id]).encode()).decode()


def read_cursor(cursor: str, kind: type[Any]) -> tuple[Any, str]:
    """The value and the id of the last row. `kind`: str or datetime. Raises Invalid."""
    try:
        text, row_id = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if not (isinstance(text, str) and isinstance(row_id, str) and "\x00" not in text + row_id):
            raise ValueError
        return (datetime.fromisoformat(text).astimezone() if kind is datetime else text), row_id
    except (ValueError, TypeError, OverflowError, RecursionError):
        message = Phrase("is none of this list: begin at its first page")
        raise Invalid(
            Phrase("cursor: {message}", message=message),
            [{"field": "cursor", "rule": "cursor", "message": message}],
        ) from None
