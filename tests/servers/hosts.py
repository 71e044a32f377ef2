"""Each kind of Git host with its scripted server.

async with host_server("gitlab", tmp_path) as server, host_client("gitlab", server.url) as client:
    await client.host.create(SPEC, SNAPSHOT)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gencode.embedded.server import address, listen
from gencode.githosts.host_types import connect
from gencode.githosts.http_client import http_client
from tests.servers.bitbucket import ScriptedBitbucket
from tests.servers.gitea import ScriptedGitea
from tests.servers.gitee import ScriptedGitee
from tests.servers.githost import ScriptedHost, served
from tests.servers.github import ScriptedGitHub
from tests.servers.gitlab import ScriptedGitLab
from tests.unit.githosts.samples import OUTBOUND, HostClient, recording

TOKEN = "scripted-token-0123456789"
OWNER: Mapping[str, str] = {"bitbucket": "octo"}
"""The owner that must be configured at hosts where users have no repositories of their own."""


class ScriptedEnterprise(ScriptedGitHub):
    version = "3.18.0"


SERVERS: Mapping[str, type[ScriptedHost]] = {
    "github": ScriptedEnterprise,
    "gitea": ScriptedGitea,
    "forgejo": ScriptedGitea,
    "gitlab": ScriptedGitLab,
    "gitee": ScriptedGitee,
    "bitbucket": ScriptedBitbucket,
}


@asynccontextmanager
async def host_server(kind: str, root: Path, token: str = TOKEN) -> AsyncIterator[Any]:
    """A scripted host on a free port, with its bare repositories under `root`."""
    sock = listen()
    server = SERVERS[kind](address(sock), root, token)
    async with served(server, sock):
        yield server


@asynccontextmanager
async def host_client(
    kind: str, url: str, token: str = TOKEN, user: str = "", **options: Any
) -> AsyncIterator[HostClient]:
    """A client that never sleeps. The options are those of `HostOptions` in connection_options."""
    options = {"owner": OWNER.get(kind)} | options
    async with http_client(OUTBOUND) as client:
        yield recording(
            lambda chosen: connect(kind, "work", url, token, client, chosen, user=user), **options
        )
