"""The local forge: GitHub's API, Git over HTTP and pages for browsers, on bare repositories in a folder."""

from __future__ import annotations

from pathlib import Path

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.types import ASGIApp

from gencode.embedded.forge.access import AccessMiddleware, Secret
from gencode.embedded.forge.github_json import Shapes
from gencode.embedded.forge.names import is_owner
from gencode.embedded.forge.pages import Pages
from gencode.embedded.forge.repositories import Repositories
from gencode.embedded.forge.rest import PREFIX, Rest
from gencode.embedded.forge.smart_http import SmartHttp

_THREADS = 4  # dulwich is Python: more would only take turns


def forge(root: Path, url: str, token: str, user: str = "local") -> ASGIApp:
    """The forge as an ASGI application, to be served on loopback only.

    root   folder of the repositories, owned by this process alone; made if missing
    url    public address, such as http://127.0.0.1:8081
    token  what writing needs; reading needs nothing
    user   login that the token belongs to

    The REST API is at `url`/api/v3. Raises OSError when the folder cannot be made or written, ValueError for
    an empty token and for a login that GitHub would refuse.
    """
    if not token or not is_owner(user):
        raise ValueError("the forge needs a token, and a login made of letters, digits and single hyphens")
    url = url.rstrip("/")
    repositories = Repositories(root)
    secret = Secret(token)
    threads = CapacityLimiter(_THREADS)
    rest = Rest(repositories, Shapes(url, url + PREFIX, user), secret, threads)
    git = SmartHttp(repositories, secret, threads)
    pages = Pages(repositories, url, threads)
    return AccessMiddleware(Starlette(routes=[*rest.routes(), *git.routes(), *pages.routes()]))
