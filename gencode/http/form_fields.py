"""Parses the fields of a form strictly."""

from __future__ import annotations

from urllib.parse import parse_qsl

from gencode.domain.errors import Malformed
from gencode.domain.phrase import Phrase

MAX_FIELDS = 100


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a body in application/x-www-form-urlencoded. Raises Malformed, also for a repeated
    field."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:  # also UnicodeDecodeError
        raise Malformed(
            Phrase("the body is not a form of at most {max_fields} fields in UTF-8", max_fields=MAX_FIELDS)
        ) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("a field stands twice in the form")
    return fields
