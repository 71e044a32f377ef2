"""The page at /: what this is, a form to try it, and the stream it gives."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


async def home(_request: Request) -> HTMLResponse:
    text = files("gencode.web").joinpath("page.html").read_text(encoding="utf-8")
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY, "X-Frame-Options": "DENY"})
