"""The forge application: bare repositories behind GitHub's REST API, Git's smart HTTP and web pages."""

from __future__ import annotations

from pathlib import Path

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.types import ASGIApp

from gencode.embedded.forge.access_token import AccessToken
from gencode.embedded.forge.github_json import GitHubJson
from gencode.embedded.forge.names import is_valid_owner
from gencode.embedded.forge.pages import Pages
from gencode.embedded.forge.repositories import Repositories
from gencode.embedded.forge.rest_api import PREFIX, RestApi
from gencode.embedded.forge.security_middleware import SecurityMiddleware
from gencode.embedded.forge.smart_http import SmartHttp

_THREADS = 4  # dulwich is pure Python and holds the GIL: more threads would not run in parallel


def forge_app(root: Path, url: str, token: str, user: str = "local") -> ASGIApp:
    """The forge as an ASGI application, to be served on loopback only.

    root   folder of the repositories, used by this process alone; created if missing
    url    base URL, such as http://127.0.0.1:8081
    token  credential that writes require; reads require none
    user   login of the token's owner

    The REST API is at `url`/api/v3. Raises OSError when the folder cannot be created or written to,
    ValueError for an empty token and for a login that GitHub would reject.
    """
    if not token or not is_valid_owner(user):
        raise ValueError("the forge needs a token, and a login made of letters, digits and single hyphens")
    url = url.rstrip("/")
    repositories = Repositories(root)
    access_token = AccessToken(token)
    threads = CapacityLimiter(_THREADS)
    api = RestApi(repositories, GitHubJson(url, url + PREFIX, user), access_token, threads)
    git = SmartHttp(repositories, access_token, threads)
    pages = Pages(repositories, url, threads)
    return SecurityMiddleware(Starlette(routes=[*api.routes(), *git.routes(), *pages.routes()]))
