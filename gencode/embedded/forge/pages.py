"""Read-only web pages at the URLs that `git clone` uses. Repository content is untrusted."""

from __future__ import annotations

from collections.abc import Callable

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from gencode.embedded.forge import page_html
from gencode.embedded.forge.contents import default_branch, list_files, read_file
from gencode.embedded.forge.repositories import Repositories, Repository, open_repository

_MAX_REPOSITORIES = 200
_MAX_FILES = 2000
_READMES = (b"readme.md", b"readme", b"readme.txt", b"readme.rst")


class Pages:
    """`threads` limits the concurrent requests that read the disk."""

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
        return HTMLResponse(page_html.index_page([repository.info for repository in newest]))

    async def _repository(self, request: Request) -> HTMLResponse:
        return await self._with_repository(request, self._repository_page)

    async def _file(self, request: Request) -> HTMLResponse:
        path = request.path_params["path"]
        return await self._with_repository(request, lambda repository: _file_page(repository, path))

    async def _missing(self, request: Request) -> HTMLResponse:
        return HTMLResponse(page_html.not_found_page(), 404)

    async def _with_repository(
        self, request: Request, page: Callable[[Repository], str | None]
    ) -> HTMLResponse:
        """Find the repository of the URL and render its page, in a thread; 404 if either returns None."""

        def render() -> str | None:
            repository = self._repositories.find(request.path_params["owner"], request.path_params["repo"])
            return page(repository) if repository else None

        text = await to_thread.run_sync(render, limiter=self._threads)
        return HTMLResponse(page_html.not_found_page(), 404) if text is None else HTMLResponse(text)

    def _repository_page(self, repository: Repository) -> str:
        with open_repository(repository) as repo:
            files = list_files(repo, _MAX_FILES + 1)
            by_name = {file.path.lower(): file.path for file in files}
            readme = next((by_name[name] for name in _READMES if name in by_name), None)
            return page_html.repository_page(
                page_html.RepositoryPage(
                    info=repository.info,
                    clone_url=f"{self._url}/{repository.full_name}",
                    branch=default_branch(repo),
                    files=files[:_MAX_FILES],
                    has_more=len(files) > _MAX_FILES,
                    readme=read_file(repo, readme) if readme else None,
                )
            )


def _file_page(repository: Repository, location: str) -> str | None:
    """`location`: the default branch, `/`, and the path. None if there is no such file."""
    with open_repository(repository) as repo:
        branch = default_branch(repo)
        path = location.removeprefix(f"{branch}/")
        if path == location:
            return None
        data = read_file(repo, path.encode("utf-8", "replace"))
        return None if data is None else page_html.file_page(repository.info, path, data)
