"""Responses that browsers store as files."""

from __future__ import annotations

from starlette.responses import Response

REVALIDATED = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache"}
"""Only the client caches the response, and revalidates it each time."""
GENERATED_CONTENT = {
    **REVALIDATED,
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
"""The same for what models and users have written: no browser treats it as a page."""


def attachment(content: bytes, name: str, media_type: str) -> Response:
    """`name`: of the file; ASCII without quotes."""
    headers = {**REVALIDATED, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=media_type)
