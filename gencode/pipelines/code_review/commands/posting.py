"""Where `gencode review --post` posts: the registered repository, and the commit that was reviewed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gencode.client import Client
from gencode.domain.errors import StartError
from gencode.pipelines.code_review.commands.working_copy import commit_of, origin

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*|/.*)")
_MAX_PAGES = 50


def add_post_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--post", type=int, metavar="NUMBER", help="post the review to this pull or merge request"
    )
    parser.add_argument(
        "--repository",
        metavar="ID",
        help="with --post: of the registered repository (default: that of the remote origin)",
    )
    parser.add_argument("--commit", metavar="SHA", help="with --post and a patch: its last commit")


def check_post_arguments(args: argparse.Namespace) -> None:
    """Raises StartError."""
    if args.post is None and (args.repository or args.commit):
        raise StartError("--repository and --commit need --post: the number of the change request")


async def post_of(client: Client, args: argparse.Namespace) -> Mapping[str, Any] | None:
    """The field `post` of the request. Raises StartError."""
    if args.post is None:
        return None
    commit = args.commit if args.patch else commit_of(args.base, args.head)
    repository = args.repository or await _registered(client)
    return {"change": args.post, "repository_id": repository, **({"commit": commit} if commit else {})}


async def _registered(client: Client) -> str:
    wanted = place_of(remote := origin())
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
