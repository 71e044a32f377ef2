"""Row 123: the body of a Git host's answer is longer, or is encoded otherwise, than any honest one."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio

from gencode.githosts.errors import GitNetwork, HostNetwork, HostProtocol
from gencode.githosts.git_client import GitClient
from tests.servers.github import TOKEN, Fault, ScriptedGitHub, github_server
from tests.unit.githosts.samples import OUTBOUND, SNAPSHOT, SPEC, HostClient, github_client

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.fault(123)]


@cache
def bodies() -> dict[str, bytes]:
    """Made when the first test runs: every process of a test run collects this file."""
    bomb = gzip.compress(b" " * 2**27, 1)
    return {
        "gzip twice": gzip.compress(bomb),
        "gzip": bomb,
        "plain": b" " * (6 * 2**20),
        "brotli": b"\x0b\x02\x80",
        "broken gzip": bomb[:100],
        "not gzip": b"{}",
    }


BODIES = {
    "gzip twice": ("gzip, gzip", "encoding 'gzip, gzip'"),
    "gzip": ("gzip", "longer than"),
    "plain": ("identity", "longer than"),
    "brotli": ("br", "encoding 'br'"),
    "broken gzip": ("gzip", "ends too early"),
    "not gzip": ("gzip", "not the gzip"),
}
"""The encoding of each, and words of the error."""
FRESH = replace(SPEC, name="fresh")
MAX_MEMORY = 40 * 2**20
"""Bytes of one exchange: of the server's side as well, which runs in this process."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ScriptedGitHub]:
    async with github_server(tmp_path_factory.mktemp("github")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def github(server: ScriptedGitHub, tmp_path: Path) -> ScriptedGitHub:
    server.reset(tmp_path)
    await server.add("hello")
    return server


@pytest_asyncio.fixture(loop_scope="module")
async def client(github: ScriptedGitHub) -> AsyncIterator[HostClient]:
    async with github_client(github.api_url) as client:
        yield client


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    """Fails a test that needs more than MAX_MEMORY at any time."""
    bodies()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] - before < MAX_MEMORY
    finally:
        tracemalloc.stop()


def fault(name: str, content_type: str) -> Fault:
    headers = {"content-encoding": BODIES[name][0], "content-type": content_type}
    return Fault(status=200, headers=headers, body=bodies()[name])


@pytest.mark.parametrize("body", BODIES)
async def test_the_answer_to_a_creation(github: ScriptedGitHub, client: HostClient, body: str) -> None:
    github.fail("create", *[fault(body, "application/json")] * 3)
    with pytest.raises((HostNetwork, HostProtocol), match=BODIES[body][1]):
        await client.host.create(FRESH, SNAPSHOT)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("operation", ["info_refs", "receive_pack"])
async def test_the_answer_to_a_push(github: ScriptedGitHub, operation: str, body: str) -> None:
    kind = "advertisement" if operation == "info_refs" else "result"
    github.fail(operation, fault(body, f"application/x-git-receive-pack-{kind}"))
    with pytest.raises(GitNetwork, match=BODIES[body][1]):
        await GitClient(outbound=OUTBOUND).push(f"{github.url}/octo/hello.git", TOKEN, SNAPSHOT)


async def test_an_honest_answer_may_be_compressed_by_a_proxy(
    github: ScriptedGitHub, client: HostClient
) -> None:
    answer = gzip.compress(json.dumps({"login": github.login}).encode())
    github.fail("user", Fault(status=200, headers={"content-encoding": "gzip"}, body=answer))
    repo = await client.host.create(replace(FRESH, org=github.login), SNAPSHOT)
    assert repo.owner == github.login
    assert github.seen("create")[0].path == "/api/v3/user/repos"
