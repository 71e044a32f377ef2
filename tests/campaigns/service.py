"""The service of a campaign: its port, its environment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom

import anyio

from tests.campaigns.orders import CLIENTS
from tests.servers.github import ScriptedGitHub
from tests.servers.model import ModelServer
from tests.servers.service import Service

PORTS = range(20_000, 32_000)
"""Below the ports that the system gives to outgoing connections: such a one could take ours while the
service is dead, and who knocks at a dead port among them may even come to be connected to itself."""
POLL_SECONDS = 0.005
CALLS_PER_TASK = 10
"""More than one task makes at once: answers are held back on purpose, and calls that wait for those to end
would wait for ever."""


class SteadyService(Service):
    """Its port stays free while nobody serves it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(folder, environment)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    async def ready(self) -> bool:
        """Whether it comes to answer /readyz before it dies."""
        ready = False
        async with anyio.create_task_group() as tg:

            async def dies() -> None:
                await self.ended()
                tg.cancel_scope.cancel()

            tg.start_soon(dies)
            while not await self._answers():
                await anyio.sleep(POLL_SECONDS)
            ready = True
            tg.cancel_scope.cancel()
        return ready

    async def _answers(self) -> bool:
        """Connections queue while it starts: one question is mostly enough."""
        try:
            async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
                await stream.send(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                return b" 200 " in await stream.receive(100)
        except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
            return False


def _free_port() -> int:
    while True:
        port = SystemRandom().choice(PORTS)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def settings(model: ModelServer, concurrency: int, github: ScriptedGitHub | None = None) -> dict[str, str]:
    """Two models at the scripted server, one with native prefix completion and one without; several
    clients; the local forge if there is no `github`."""
    variables = {
        "API_KEYS": ",".join(f"{client}={key}" for client, key in CLIENTS.items()),
        "RATE_LIMIT": "1000000/minute",
        "MAX_CONCURRENT_TASKS": str(concurrency),
        "MAX_MODEL_CALLS": str(CALLS_PER_TASK * concurrency),
        "DEEPSEEK_API_KEY": "sk-deepseek-campaign",
        "DEEPSEEK_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "sk-openai-campaign",
        "OPENAI_BASE_URL": f"{model.base_url}/v1",
        "LOG_FORMAT": "json",
    }
    return variables | ({"GITHUB_TOKEN": github.token, "GITHUB_API_URL": github.api_url} if github else {})
