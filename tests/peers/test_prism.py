"""Prism checks each request that the service sends to GitHub against GitHub's own OpenAPI description."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx

from tests.peers.installation import HOME, node_process, requires_node
from tests.servers.calls import BODY, FILES, post
from tests.servers.github import ReceivedRequest, github_server
from tests.servers.history import history
from tests.servers.model import model_server, plan_and_files
from tests.servers.ports import reserve_port
from tests.servers.service import running_app, settings

pytestmark = requires_node("@stoplight/prism-cli")

CHECKED = ("accept", "content-type")
"""Request headers."""
WITHOUT_RESPONSES = """
import fs from "node:fs";
import { createRequire } from "node:module";

const [prism, source, port] = process.argv.slice(2);
const description = JSON.parse(fs.readFileSync(source));
description.servers = [{ url: "/" }];
for (const path of Object.keys(description.paths)) {
  if (!/^\\/(user|user\\/repos|orgs\\/\\{org\\}(\\/repos)?|repos\\/\\{owner\\}\\/\\{repo\\})$/.test(path)) {
    delete description.paths[path];
    continue;
  }
  for (const method of Object.values(description.paths[path])) {
    method.responses = { 299: { description: "The request is as described" } };
  }
}
fs.writeFileSync("github.json", JSON.stringify(description));
const options = ["--errors", "--verboseLevel", "silent", "--port", port];
process.argv = ["node", prism, "mock", ...options, "github.json"];
createRequire(prism)(prism);
"""
"""The requests of a description; its answers are another matter, and slow to load."""


@asynccontextmanager
async def prism(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    program = HOME / "node_modules/@stoplight/prism-cli/dist/index.js"
    source = HOME / "node_modules/@octokit/openapi/generated/api.github.com.json"
    port = reserve_port()
    async with (
        node_process(WITHOUT_RESPONSES, str(program), str(source), str(port), folder=folder) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        while True:
            assert process.returncode is None
            try:
                await client.get("/user")
                break
            except httpx.HTTPError:
                await anyio.sleep(0.2)
        yield client


async def sent_requests(folder: Path, **body: str) -> list[ReceivedRequest]:
    """What one task sends to GitHub's API."""
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(folder / "github") as github,
        running_app(settings(folder, model, github)) as app,
    ):
        task_id = (await post(app.url, "/generate", BODY | body)).json()["task_id"]
        async with httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http:
            log = await history(http, task_id)
        assert '"completed"' in log[-1][2]
        return [seen for seen in github.requests if seen.path.startswith("/api/v3/")]


async def test_no_request_to_github_breaks_its_description(tmp_path: Path) -> None:
    sent = [
        *await sent_requests(tmp_path / "user"),
        *await sent_requests(tmp_path / "org", github_org="acme"),
    ]
    assert {"GET", "POST"} <= {seen.method for seen in sent}
    async with prism(tmp_path) as github:
        for seen in sent:
            path = seen.path.removeprefix("/api/v3")
            headers = {name: value for name, value in seen.headers.items() if name in CHECKED}
            answer = await github.request(seen.method, path, content=seen.body, headers=headers)
            assert answer.status_code == 299, f"{seen.method} {seen.path}: {answer.text}"


async def test_prism_would_find_a_wrong_request(tmp_path: Path) -> None:
    async with prism(tmp_path) as github:
        answer = await github.post("/user/repos", json={"name": 7})
    assert answer.status_code == 422
