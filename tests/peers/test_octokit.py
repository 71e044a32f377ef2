"""octokit reads a ref of the local forge as it does at GitHub: with encoded slashes."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.test_forge_git import forge_with_git
from tests.peers.installation import requires_node, run_node

GET_REF = """
import { request } from "@octokit/request";

const [baseUrl] = process.argv.slice(2);
const repository = { baseUrl, owner: "local", repo: "demo" };
const route = "GET /repos/{owner}/{repo}/git/ref/{ref}";
const { data } = await request(route, { ...repository, ref: "heads/main" });
console.log(data.object.sha);
"""


@requires_node("@octokit/request")
async def test_a_ref_is_found(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        api = local.repository_url.removesuffix("/local/demo") + "/api/v3"
        found = await run_node(GET_REF, api, folder=tmp_path)
        assert found.strip() == await local.git("rev-parse", "HEAD", at="w")
