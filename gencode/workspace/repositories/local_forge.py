"""Repositories on the local forge, which users register like those of any other host."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from gencode.engine.ports.store import Store, TaskQuery
from gencode.githosts.http_client import exchange
from gencode.githosts.origins import origin_of
from gencode.githosts.responses import json_object
from gencode.workspace.repositories.errors import RepositoryUnusable

_REPOSITORY = re.compile(r"/([A-Za-z0-9-]{1,100})/([A-Za-z0-9._-]{1,100})")
_MARKER = re.compile(r"\[gencode:([^\[\]\s]{1,100})\]\Z")
_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalForge:
    """url              its present address; "" where none runs
    http             a client that may call it
    store            of the tasks that have created the repositories
    is_unrestricted  whether the principal of this id may read all of them: it is the operator
    """

    url: str
    http: httpx.AsyncClient
    store: Store
    is_unrestricted: Callable[[str], bool]

    def has(self, url: str) -> bool:
        """Whether the address is one of the forge, as it is now."""
        return bool(self.url) and origin_of(url) == origin_of(self.url)

    def present_url(self, url: str) -> str:
        """The address of a repository that is on the forge, which may have moved since."""
        return urlsplit(url)._replace(netloc=urlsplit(self.url).netloc, scheme="http").geturl()

    async def require_access(self, url: str, principal: str) -> None:
        """A user may read what their own tasks have created: the forge itself lets everybody read. Raises
        RepositoryUnusable."""
        if self.is_unrestricted(principal):
            return
        found = _REPOSITORY.fullmatch(urlsplit(url).path.removesuffix(".git"))
        created_by = await self._creator(*found.groups()) if found else None
        if created_by != principal:
            raise RepositoryUnusable("none of your tasks has created this repository on the local forge")

    async def _creator(self, owner: str, name: str) -> str | None:
        """The id of the principal whose task has created the repository, by its description."""
        request = self.http.build_request("GET", f"{self.url}/api/v3/repos/{owner}/{name}")
        body = json_object(await exchange(self.http, request, _SECONDS)) or {}
        marker = _MARKER.search(str(body.get("description") or ""))
        tasks = await self.store.find(TaskQuery(id=marker[1], limit=1)) if marker else []
        return tasks[0].principal.id if tasks else None
