"""Renders repositories, owners and branches of the forge as GitHub's JSON."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse

from gencode.embedded.forge.contents import default_branch, pack_kilobytes
from gencode.embedded.forge.repositories import Repository, open_repository


def message_response(status: int, text: str) -> JSONResponse:
    """GitHub's body of an error."""
    return JSONResponse({"message": text}, status)


class GitHubJson:
    """`url`: base URL of the forge; `api`: that of its REST API; `user`: login of the token's owner."""

    def __init__(self, url: str, api: str, user: str) -> None:
        self._url = url
        self._api = api
        self.user = user

    def owner(self, login: str) -> dict[str, Any]:
        is_user = login.lower() == self.user.lower()
        number = zlib.crc32(login.lower().encode())
        return {
            "login": login,
            "id": number,
            "node_id": _node_id("Owner", str(number)),
            "type": "User" if is_user else "Organization",
            "site_admin": False,
            "url": f"{self._api}/{'users' if is_user else 'orgs'}/{login}",
            "html_url": f"{self._url}/{login}",
        }

    def repository(self, repository: Repository) -> dict[str, Any]:
        """The full repository object. Blocks on the disk."""
        info = repository.info
        web = f"{self._url}/{repository.full_name}"
        return {
            "id": info.id,
            "node_id": _node_id("Repository", str(info.id)),
            "name": info.name,
            "full_name": repository.full_name,
            "owner": self.owner(info.owner),
            "private": info.private,
            "visibility": "private" if info.private else "public",
            "html_url": web,
            "clone_url": f"{web}.git",
            "url": f"{self._api}/repos/{repository.full_name}",
            "description": info.description or None,
            "fork": False,
            "archived": False,
            "disabled": False,
            "created_at": info.created_at,
            **_fields_changed_by_pushes(repository),
        }

    def ref(self, repository: Repository, branch: str, sha: str) -> dict[str, Any]:
        git = f"{self._api}/repos/{repository.full_name}/git"
        name = f"refs/heads/{branch}"
        return {
            "ref": name,
            "node_id": _node_id("Ref", f"{repository.info.id}:{name}"),
            "url": f"{git}/{name}",
            "object": {"type": "commit", "sha": sha, "url": f"{git}/commits/{sha}"},
        }

    def branch(self, repository: Repository, branch: str, sha: str) -> dict[str, Any]:
        url = f"{self._api}/repos/{repository.full_name}/commits/{sha}"
        return {"name": branch, "commit": {"sha": sha, "url": url}, "protected": False}


def _fields_changed_by_pushes(repository: Repository) -> dict[str, Any]:
    """The push time is the mtime of refs/heads: setting a branch renames a file into that folder."""
    with open_repository(repository) as repo:
        branch = default_branch(repo)
    pushed = datetime.fromtimestamp((repository.path / "refs" / "heads").stat().st_mtime, UTC)
    pushed_at = pushed.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "default_branch": branch,
        "size": pack_kilobytes(repository.path),
        "updated_at": pushed_at,
        "pushed_at": pushed_at,
    }


def _node_id(kind: str, key: str) -> str:
    return base64.b64encode(f"{kind}:{key}".encode()).decode()
