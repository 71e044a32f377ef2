"""GitHub's JSON for what the forge holds."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse

from gencode.embedded.forge.contents import default_branch, kilobytes
from gencode.embedded.forge.repositories import Repository, opened


def message(status: int, text: str) -> JSONResponse:
    return JSONResponse({"message": text}, status)


class Shapes:
    """`url` is the forge's public address, `api` that of its REST API, `user` the login of the token."""

    def __init__(self, url: str, api: str, user: str) -> None:
        self._url = url
        self._api = api
        self.user = user

    def owner(self, login: str) -> dict[str, Any]:
        own = login.lower() == self.user.lower()
        number = zlib.crc32(login.lower().encode())
        return {
            "login": login,
            "id": number,
            "node_id": _node("Owner", str(number)),
            "type": "User" if own else "Organization",
            "site_admin": False,
            "url": f"{self._api}/{'users' if own else 'orgs'}/{login}",
            "html_url": f"{self._url}/{login}",
        }

    def repository(self, repository: Repository) -> dict[str, Any]:
        """Blocks on the disk."""
        about = repository.about
        web = f"{self._url}/{repository.full_name}"
        return {
            "id": about.id,
            "node_id": _node("Repository", str(about.id)),
            "name": about.name,
            "full_name": repository.full_name,
            "owner": self.owner(about.owner),
            "private": about.private,
            "visibility": "private" if about.private else "public",
            "html_url": web,
            "clone_url": f"{web}.git",
            "url": f"{self._api}/repos/{repository.full_name}",
            "description": about.description or None,
            "fork": False,
            "archived": False,
            "disabled": False,
            "created_at": about.created_at,
            **_changing(repository),
        }

    def ref(self, repository: Repository, branch: str, sha: str) -> dict[str, Any]:
        git = f"{self._api}/repos/{repository.full_name}/git"
        name = f"refs/heads/{branch}"
        return {
            "ref": name,
            "node_id": _node("Ref", f"{repository.about.id}:{name}"),
            "url": f"{git}/{name}",
            "object": {"type": "commit", "sha": sha, "url": f"{git}/commits/{sha}"},
        }

    def branch(self, repository: Repository, branch: str, sha: str) -> dict[str, Any]:
        url = f"{self._api}/repos/{repository.full_name}/commits/{sha}"
        return {"name": branch, "commit": {"sha": sha, "url": url}, "protected": False}


def _changing(repository: Repository) -> dict[str, Any]:
    """What a push changes. Setting a branch renames a file into refs/heads, so that folder has the time."""
    with opened(repository) as repo:
        branch = default_branch(repo)
    pushed = datetime.fromtimestamp((repository.path / "refs" / "heads").stat().st_mtime, UTC)
    moment = pushed.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "default_branch": branch,
        "size": kilobytes(repository.path),
        "updated_at": moment,
        "pushed_at": moment,
    }


def _node(kind: str, key: str) -> str:
    return base64.b64encode(f"{kind}:{key}".encode()).decode()
