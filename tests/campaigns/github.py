"""A scripted GitHub at which the service can die: an effect has happened, and its answer never comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from gencode.embedded.server import address, listen
from tests.servers.github import TOKEN, ReceivedRequest, ScriptedGitHub, served

EFFECTS = {"github.create": "create", "github.push": "receive_pack"}
"""Names of the moments, and the requests that they come with."""


class LethalGitHub(ScriptedGitHub):
    """`doom`: what to call once, in the next such moment, before the answer is sent."""

    doom: tuple[str, Callable[[], None]] | None = None

    async def _handle(self, seen: ReceivedRequest, request: Request, found: Mapping[str, str]) -> Response:
        response = await super()._handle(seen, request, found)
        if self.doom and seen.operation == EFFECTS[self.doom[0]]:
            (_, kill), self.doom = self.doom, None
            kill()
        return response


@asynccontextmanager
async def lethal_github(root: Path) -> AsyncIterator[LethalGitHub]:
    """On a free port, its bare repositories under `root`."""
    sock = listen()
    github = LethalGitHub(address(sock), root, TOKEN)
    async with served(github, sock):
        yield github
