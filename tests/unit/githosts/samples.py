"""What the tests of hosts push, and a GitHub client that never really waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio.lowlevel
import httpx

from gencode.domain.tree import Tree
from gencode.githosts.github import GitHub
from gencode.githosts.http_client import http_client
from gencode.githosts.port import RepositorySpec, Snapshot
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry
from tests.servers.github import TOKEN

FILES = {
    "README.md": b"# Hello\n",
    "src/app/main.py": b"print('\xc3\xa9')\n",
    "src/data.bin": bytes(range(256)),
}
SNAPSHOT = Snapshot(
    tree=Tree.of(FILES),
    message="Say hello\n\nTwice: 你好",
    author="gencode <gencode@example.org>",
    at=datetime(2026, 11, 22, 6, 0, tzinfo=UTC),
)
SPEC = RepositorySpec(name="hello", org=None, private=False, description="Say hello", marker="gencode:1")
TLS = httpx.create_ssl_context()  # loading the roots takes longer than most tests
NOW = 1_800_000_000.0


class Naps(list[float]):
    """A sleep that only writes down how long."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await anyio.lowlevel.checkpoint()


class Connected:
    """A client and what it would have waited: `backoff` between attempts, `pauses` within them."""

    def __init__(self, host: GitHub, backoff: Naps, pauses: Naps, metrics: Metrics) -> None:
        self.host = host
        self.backoff = backoff
        self.pauses = pauses
        self.metrics = metrics


@asynccontextmanager
async def connected(api_url: str, **options: Any) -> AsyncIterator[Connected]:
    """Options are GitHub's own."""
    backoff, pauses, metrics = Naps(), Naps(), Metrics()
    settings: dict[str, Any] = {
        "metrics": metrics,
        "spacing": 0,
        "sleep": pauses,
        "clock": lambda: NOW,
        "tls": TLS,
    }
    async with http_client(TLS) as client:
        host = GitHub(api_url, TOKEN, client, Retry(sleep=backoff), **(settings | options))
        yield Connected(host, backoff, pauses, metrics)
