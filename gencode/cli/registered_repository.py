"""The repository of the working copy, as the service knows it: the registered one with the address of the
remote `origin`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gencode.cli.git_command import git_text
from gencode.client import Client
from gencode.domain.errors import StartError

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*|/.*)")
_MAX_PAGES = 50


async def registered_repository(client: Client) -> str:
    """Its id. Raises StartError, ServiceError."""
    wanted = place_of(remote := git_text("remote", "get-url", "origin"))
    found: list[str] = []
    cursor = ""
    for _ in range(_MAX_PAGES):
        page = await client.call("GET", "/git/repositories", params={"cursor": cursor} if cursor else {})
        rows = page["items"]
        found += [row["id"] for row in rows if row["is_active"] and place_of(row["repository_url"]) == wanted]
        cursor = page["next_cursor"]
        if not cursor:
            break
    if len(found) == 1:
        return found[0]
    host, path = wanted
    shown = f"{host}/{path}" if host else remote
    if found:
        raise StartError(
            f"several registered repositories have the address {shown}: name one by --repository"
        )
    raise StartError(
        f"{shown} is no registered repository: register it with a Git credential, or name another"
    )


def place_of(address: str) -> tuple[str, str]:
    """Host and path of a remote's address, which may be of ssh or have credentials; host "" for a path."""
    if "://" in address:
        parts = urlsplit(address)
        host, path = parts.hostname or "", parts.path
    elif found := _SCP.fullmatch(address):
        host, path = found["host"], found["path"]
    else:
        host, path = "", address
    return host.lower(), path.strip("/").removesuffix(".git").lower()
