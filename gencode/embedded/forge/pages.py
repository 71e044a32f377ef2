"""What a browser sees at the address that `git clone` takes. Nothing here trusts what was pushed."""

from __future__ import annotations

from collections.abc import Callable

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from gencode.embedded.forge import html
from gencode.embedded.forge.contents import content, default_branch, entries
from gencode.embedded.forge.repositories import Repositories, Repository, opened

_MAX_REPOSITORIES = 200
_MAX_FILES = 2000
_READMES = (b"readme.md", b"readme", b"readme.txt", b"readme.rst")


class Pages:
    def __init__(self, repositories: Repositories, url: str, threads: CapacityLimiter) -> None:
        self._repositories = repositories
        self._url = url
        self._threads = threads

    def routes(self) -> list[Route]:
        return [
            Route("/", self._index),
            Route("/{owner}/{repo}", self._repository),
            Route("/{owner}/{repo}/blob/{path:path}", self._file),
            Route("/{rest:path}", self._missing),
        ]

    async def _index(self, request: Request) -> HTMLResponse:
        newest = await to_thread.run_sync(self._repositories.newest, _MAX_REPOSITORIES, limiter=self._threads)
        return HTMLResponse(html.index([repository.about for repository in newest]))

    async def _repository(self, request: Request) -> HTMLResponse:
        return await self._found(request, self._overview)

    async def _file(self, request: Request) -> HTMLResponse:
        path = request.path_params["path"]
        return await self._found(request, lambda repository: _file(repository, path))

    async def _missing(self, request: Request) -> HTMLResponse:
        return HTMLResponse(html.missing(), 404)

    async def _found(self, request: Request, page: Callable[[Repository], str | None]) -> HTMLResponse:
        """The page about the repository of the address, made in a thread."""

        def look() -> str | None:
            repository = self._repositories.find(request.path_params["owner"], request.path_params["repo"])
            return page(repository) if repository else None

        text = await to_thread.run_sync(look, limiter=self._threads)
        return HTMLResponse(html.missing(), 404) if text is None else HTMLResponse(text)

    def _overview(self, repository: Repository) -> str:
        with opened(repository) as repo:
            files = entries(repo, _MAX_FILES + 1)
            by_name = {file.path.lower(): file.path for file in files}
            readme = next((by_name[name] for name in _READMES if name in by_name), None)
            return html.overview(
                html.Overview(
                    about=repository.about,
                    clone_url=f"{self._url}/{repository.full_name}",
                    branch=default_branch(repo),
                    files=files[:_MAX_FILES],
                    more=len(files) > _MAX_FILES,
                    readme=content(repo, readme) if readme else None,
                )
            )


def _file(repository: Repository, address: str) -> str | None:
    """`address` is the default branch, `/`, the path."""
    with opened(repository) as repo:
        branch = default_branch(repo)
        path = address.removeprefix(f"{branch}/")
        if path == address:
            return None
        data = content(repo, path.encode("utf-8", "replace"))
        return None if data is None else html.file(repository.about, path, data)
