"""Serves the page at / and its static files. It has no build step and loads nothing from other hosts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gencode.domain.errors import NotFound, WrongMethod
from gencode.domain.phrase import Phrase
from gencode.http.operation import Operation, operation
from gencode.http.response_specs import ResponseSpec

HOME = "index.html"
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Text of a model can never become markup, because every assignment of HTML throws.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",  # licences
}
"""Media types by suffix. The system's mimetypes can be wrong, and with nosniff a browser would use them."""

HOME_RESPONSE = ResponseSpec(description="The page", media_type="text/html")


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    body: bytes
    media_type: str
    tag: str


class Page:
    """`home` serves the page itself; as an ASGI application, it serves the other files by their path.

    All files are in memory (less than 700 KB). Their ETags are digests of their content, because files in a
    wheel have no useful times. A browser caches them and revalidates each time.
    """

    def __init__(self, *, has_workspace: bool = False) -> None:
        """`has_workspace`: whether the service has one, which the page then offers."""
        self._files = _with_workspace(_files()) if has_workspace else _files()

    def operation(self) -> Operation:
        return operation("page", "GET /", "The page, for people", responses=(HOME_RESPONSE,))(self.home)

    async def home(self, request: Request) -> Response:
        return _answer(request, self._files[HOME])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        name = scope["path"].removeprefix(scope["root_path"]).lstrip("/")
        if name not in self._files or name == HOME:
            raise NotFound("the page has no such file")
        if request.method not in ("GET", "HEAD"):
            raise WrongMethod(Phrase("{method} is not possible here", method=request.method))
        await _answer(request, self._files[name])(scope, receive, send)


def _answer(request: Request, file: _File) -> Response:
    headers = {"Cache-Control": "no-cache", "ETag": file.tag, "Content-Security-Policy": POLICY}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if file.tag in known:
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers, media_type=file.media_type)


@cache
def _files() -> Mapping[str, _File]:
    return dict(_read(files("gencode.ui").joinpath("assets")))


def _with_workspace(found: Mapping[str, _File]) -> Mapping[str, _File]:
    home = found[HOME]
    body = home.body.replace(b"<body>", b"<body data-workspace>", 1)
    return {**found, HOME: _file(HOME, body)}


def _file(name: str, body: bytes) -> _File:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return _File(body=body, media_type=_TYPES[PurePosixPath(name).suffix], tag=tag)


def _read(directory: Traversable, above: str = "") -> Iterator[tuple[str, _File]]:
    for entry in directory.iterdir():
        name = above + entry.name
        if entry.is_dir():
            yield from _read(entry, f"{name}/")
        elif PurePosixPath(name).suffix in _TYPES:
            yield name, _file(name, entry.read_bytes())
