"""What the tests of hosts push, and a GitHub client that records waits instead of sleeping."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio.lowlevel

from gencode.domain.tree import Tree
from gencode.githosts.connection_options import HostOptions
from gencode.githosts.github import github_host
from gencode.githosts.http_client import http_client
from gencode.githosts.port import RepositorySpec, Snapshot
from gencode.githosts.rest_host import RestGitHost
from gencode.observability.metrics import Metrics
from gencode.outbound.transport import Outbound
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
OUTBOUND = Outbound()  # loading the roots takes longer than most tests
NOW = 1_800_000_000.0


class RecordedSleep(list[float]):
    """A sleep that records its seconds and returns at once."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await anyio.lowlevel.checkpoint()


@dataclass(frozen=True, kw_only=True)
class HostClient:
    """A host and the waits that it requested: `backoff` between attempts, `pauses` within them."""

    host: RestGitHost
    backoff: RecordedSleep
    pauses: RecordedSleep
    metrics: Metrics


def recording(connect: Callable[[HostOptions], RestGitHost], **options: Any) -> HostClient:
    """A host with these options that never sleeps."""
    backoff, pauses, metrics = RecordedSleep(), RecordedSleep(), Metrics()
    defaults: dict[str, Any] = {"spacing": 0, "sleep": pauses, "clock": lambda: NOW, "outbound": OUTBOUND}
    host = connect(HostOptions(retry=Retry(sleep=backoff), metrics=metrics, **(defaults | options)))
    return HostClient(host=host, backoff=backoff, pauses=pauses, metrics=metrics)


@asynccontextmanager
async def github_client(api_url: str, **options: Any) -> AsyncIterator[HostClient]:
    """GitHub at this address; the options are those of HostOptions."""
    async with http_client(OUTBOUND) as client:
        yield recording(lambda chosen: github_host(api_url, TOKEN, client, chosen), **options)
