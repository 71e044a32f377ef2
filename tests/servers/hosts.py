"""Each kind of Git host with its scripted server.

async with host_server("gitlab", tmp_path) as server, meet("gitlab", server.url) as client:
    await client.host.create(SPEC, SNAPSHOT)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gencode.embedded.server import address, listen
from gencode.githosts.http_client import http_client
from gencode.githosts.rest_host import RestGitHost
from gencode.githosts.types import connect
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry
from tests.servers.bitbucket import ScriptedBitbucket
from tests.servers.gitea import ScriptedGitea
from tests.servers.gitee import ScriptedGitee
from tests.servers.githost import ScriptedHost, served
from tests.servers.github import ScriptedGitHub
from tests.servers.gitlab import ScriptedGitLab
from tests.unit.githosts.samples import NOW, TLS, Naps

TOKEN = "scripted-token-0123456789"
OWNER: Mapping[str, str] = {"bitbucket": "octo"}
"""What must be said at hosts where nobody has repositories of his own."""


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


class Met:
    """A client and what it would have waited: `backoff` between attempts, `pauses` within them."""

    def __init__(self, host: RestGitHost, backoff: Naps, pauses: Naps) -> None:
        self.host = host
        self.backoff = backoff
        self.pauses = pauses


@asynccontextmanager
async def host_server(kind: str, root: Path, token: str = TOKEN) -> AsyncIterator[Any]:
    """A scripted one on a free port, its bare repositories under `root`."""
    sock = listen()
    server = SERVERS[kind](address(sock), root, token)
    async with served(server, sock):
        yield server


@asynccontextmanager
async def meet(kind: str, url: str, token: str = TOKEN, **options: Any) -> AsyncIterator[Met]:
    """A client that never really waits. Options are those of `gencode.githosts.types.connect`."""
    backoff, pauses = Naps(), Naps()
    chosen: dict[str, Any] = {"owner": OWNER.get(kind), "spacing": 0, "sleep": pauses, "tls": TLS}
    chosen |= {"clock": lambda: NOW, "metrics": Metrics()} | options
    async with http_client(TLS) as client:
        yield Met(connect(kind, "work", url, token, client, Retry(sleep=backoff), **chosen), backoff, pauses)
