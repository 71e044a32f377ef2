"""The page at /: what this is, a form to try it, and the stream it gives."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse


async def home(_request: Request) -> HTMLResponse:
    text = files("gencode.web").joinpath("page.html").read_text(encoding="utf-8")
    return HTMLResponse(text, headers={"Content-Security-Policy": _policy(text)})


def _policy(page: str) -> str:
    """The page's own style and script, by their hashes, and requests to this service; nothing else."""
    return (
        f"default-src 'none'; style-src {_hashes('style', page)}; script-src {_hashes('script', page)}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hashes(tag: str, page: str) -> str:
    inline = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    digests = [b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    return " ".join(f"'sha256-{digest}'" for digest in digests)
