"""A scripted GitHub that kills the service after an effect has happened, before the response is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from gencode.embedded.server import address, listen
from tests.servers.github import TOKEN, ReceivedRequest, ScriptedGitHub, served

EFFECT_FAILPOINTS = {"github.create": "create", "github.push": "receive_pack"}
"""Failpoints, and the operation that each of them follows."""


class KillingGitHub(ScriptedGitHub):
    """`kill_at`: a failpoint, and what to call the next time that it is reached, once."""

    kill_at: tuple[str, Callable[[], None]] | None = None

    async def _handle(self, seen: ReceivedRequest, request: Request, found: Mapping[str, str]) -> Response:
        response = await super()._handle(seen, request, found)
        if self.kill_at and seen.operation == EFFECT_FAILPOINTS[self.kill_at[0]]:
            (_, kill), self.kill_at = self.kill_at, None
            kill()
        return response


@asynccontextmanager
async def killing_github(root: Path) -> AsyncIterator[KillingGitHub]:
    """Serve it on a free port, with its bare repositories under `root`."""
    sock = listen()
    github = KillingGitHub(address(sock), root, TOKEN)
    async with served(github, sock):
        yield github
