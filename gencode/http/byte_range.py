"""Responds with parts of a body, for downloads that are resumed: Range, If-Range, 206 and 416 (RFC 9110,
14)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import RangeNotSatisfiable
from gencode.domain.phrase import Phrase
from gencode.http.operation import ErrorResponse, Trait
from gencode.http.parameter_types import Parameter, Text
from gencode.http.problems import accept_language, problem_response
from gencode.http.response_specs import Header

RANGE = Parameter(
    name="Range",
    location="header",
    description="Only these bytes, such as bytes=1000-; several ranges at once are ignored",
    type=Text(),
    default="",
)
IF_RANGE = Parameter(
    name="If-Range",
    location="header",
    description="The range only if the ETag is still this one, else the whole",
    type=Text(),
    default="",
)
ACCEPT_RANGES = Header(name="Accept-Ranges", description="bytes")
CONTENT_RANGE = Header(name="Content-Range", description="Which bytes of how many")
BYTE_RANGES = Trait(
    parameters=(RANGE, IF_RANGE),
    errors=(
        ErrorResponse(
            error=RangeNotSatisfiable, description=RangeNotSatisfiable.meaning, headers=(CONTENT_RANGE,)
        ),
    ),
)
"""The trait of operations that respond by `ranged_response`."""

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


def ranged_response(
    request: Request, data: bytes, etag: str, headers: Mapping[str, str], media_type: str
) -> Response:
    """Responds with all of `data` (200), with the requested part (206), or with 416.

    etag   strong; `headers` must contain it, too
    """
    headers = {**headers, "Accept-Ranges": "bytes"}
    asked = RANGE.read(request) if request.method == "GET" else ""
    if_range = IF_RANGE.read(request).strip()
    part = _part(asked, len(data)) if if_range in ("", etag) else None
    if part is None:
        return Response(data, headers=headers, media_type=media_type)
    if not part:
        error = RangeNotSatisfiable(
            Phrase("there are {data} bytes; ask for a range that begins before their end", data=len(data))
        )
        return problem_response(
            error, {"Content-Range": f"bytes */{len(data)}"}, accept_language(request.scope)
        )
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
    return Response(data[part.start : part.stop], 206, headers, media_type)


def _part(asked: str, size: int) -> range | None:
    """The requested bytes; empty for a range that cannot be satisfied (416). None if the header is absent,
    malformed, in another unit, or has several ranges: RFC 9110 lets a server ignore these and send all
    bytes."""
    found = _ONE_RANGE.fullmatch(asked.strip())
    first, last = found.groups() if found else ("", "")
    if first:
        stop = min(int(last) + 1, size) if last else size
        return None if last and int(last) < int(first) else range(int(first), stop)
    return range(max(size - int(last), 0), size) if last else None
