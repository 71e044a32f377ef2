"""isomorphic-git clones from the local forge and pushes to it: a Git client without `thin-pack`."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.test_forge_git import TOKEN, forge_with_git
from tests.peers.installation import requires_node, run_node

CLONE_AND_PUSH = """
import fs from "node:fs";
import git from "isomorphic-git";
import http from "isomorphic-git/http/node";

const [url, dir, token] = process.argv.slice(2);
const author = { name: "A", email: "a@example.org" };
await git.clone({ fs, http, dir, url });
fs.writeFileSync(`${dir}/added.txt`, "added\\n");
await git.add({ fs, dir, filepath: "added.txt" });
await git.commit({ fs, dir, author, message: "Add a file" });
await git.push({ fs, http, dir, url, remote: "origin", onAuth: () => ({ username: "x", password: token }) });
console.log(await git.resolveRef({ fs, dir, ref: "HEAD" }));
"""


@requires_node("isomorphic-git")
async def test_it_clones_and_pushes(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        head = await run_node(
            CLONE_AND_PUSH, local.repository_url, str(tmp_path / "clone"), TOKEN, folder=tmp_path
        )
        assert (tmp_path / "clone/folder1/file1.py").read_text() == "print(1)\n" * 40
        await local.git("pull", "-q", local.repository_url, "main", at="w")
        assert await local.checked_head("w") == head.strip()
        assert (tmp_path / "w/added.txt").read_text() == "added\n"
