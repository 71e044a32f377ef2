"""Builds that update the repository of an earlier one: never by force, never over the commits of others."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_builds import SPEC, built, regenerated, service, stored
from tests.e2e.test_teams import people
from tests.servers.calls import get, post
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import environment
from tests.servers.service import service as process_of
from tests.servers.stream import events

pytestmark = [
    pytest.mark.one_process("the local forge is of one process"),
    pytest.mark.campaign,
]
NEWER: dict[str, Any] = {**SPEC, "dataModels": [*SPEC["dataModels"], {"name": "Invoice"}]}
THIRD: dict[str, Any] = {**SPEC, "dataModels": [{"name": "Invoice"}]}


class Repository:
    """A bare repository of the local forge, on the disk."""

    def __init__(self, folder: Path, name: str = "shop") -> None:
        (self.path,) = folder.rglob(f"{name}.git")

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        command = ["git", "--git-dir", str(self.path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def change(self) -> str:
        """Somebody adds a commit to the default branch."""
        commit = self.git("commit-tree", "main^{tree}", "-p", "main", "-m", "by hand")
        self.git("update-ref", "refs/heads/main", commit)
        return commit

    @property
    def branches(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)").splitlines()
        return dict(line.split() for line in lines)


async def draft_of(http: httpx.AsyncClient, blueprint: str, spec: dict[str, Any]) -> None:
    answer = await http.patch(f"/blueprints/{blueprint}", json={"spec": spec})
    assert answer.status_code == 200, answer.text


async def test_what_nobody_has_changed_gets_a_commit_on_top(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        first = await built(http, blueprint, deliver={"repo_name": "shop"})
        repository = Repository(tmp_path)
        same = await regenerated(http, first, update_repository=True)
        assert (same["update"]["outcome"], same["update"]["commit"]) == ("unchanged", first["commit"])
        await draft_of(http, blueprint, NEWER)
        second = await regenerated(http, same, update_repository=True)
        update = second["update"]
        assert (update["outcome"], update["branch"], update["parent"]) == (
            "advanced",
            "main",
            first["commit"],
        )
        assert (second["repo_url"], second["branch"]) == (first["repo_url"], "main")
        assert second["messages"]["zh"].startswith(
            f"项目已就绪，共 {second['file_count']} 个文件；已推送到 main"
        )
        assert repository.branches == {"main": update["commit"]}
        assert repository.git("rev-parse", "main^", "main^{tree}").split() == [
            first["commit"],
            second["tree"],
        ]
        repository.git("fsck", "--strict")
        await draft_of(http, blueprint, THIRD)
        third = await regenerated(http, second, update_repository=True)
        assert third["update"]["parent"] == update["commit"]
        assert "backend/app/models/customer.py" not in repository.git("ls-tree", "-r", "--name-only", "main")
        changes = third["changes"]
        assert "customers" in " ".join(one["text"] for one in changes["migration"]["steps"])
        assert (changes["migration"]["destructive"], changes["migration"]["has_revision"]) == (True, False)
        # The first build does not know what was delivered since, so its successor gets a branch.
        again = await regenerated(http, first, update_repository=True)
        assert (again["update"]["outcome"], again["update"]["parent"]) == ("branch", first["commit"])
        assert repository.branches["main"] == third["update"]["commit"]


async def test_what_somebody_has_changed_is_left_alone_and_a_branch_is_offered(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        first = await built(http, blueprint, deliver={"repo_name": "shop"})
        repository = Repository(tmp_path)
        by_hand = repository.change()
        await draft_of(http, blueprint, NEWER)
        second = await regenerated(http, first, update_repository=True)
        update = second["update"]
        assert (update["outcome"], update["branch"]) == (
            "branch",
            f"gencode/regenerate-{update['commit'][:12]}",
        )
        assert repository.branches == {"main": by_hand, update["branch"]: update["commit"]}
        parent, tree = repository.git(
            "rev-parse", f"{update['branch']}^", f"{update['branch']}^{{tree}}"
        ).split()
        assert (parent, tree) == (first["commit"], second["tree"])
        assert "has commits that gencode has not delivered" in second["message"]
        # The same again is the same commit on the same branch; what somebody has added to it stays.
        same = await regenerated(http, first, update_repository=True)
        assert same["update"]["commit"] == update["commit"]
        assert len(repository.branches) == 2
        repository.git("update-ref", f"refs/heads/{update['branch']}", by_hand)
        other = await regenerated(http, first, update_repository=True)
        assert other["update"]["branch"] == f"{update['branch']}-2"
        # Once it is merged, the next one goes on from there.
        repository.git("update-ref", "refs/heads/main", update["commit"])
        await draft_of(http, blueprint, THIRD)
        third = await regenerated(http, second, update_repository=True)
        assert (third["update"]["outcome"], third["update"]["parent"]) == ("advanced", update["commit"])


async def test_another_repository_of_that_name_is_never_touched(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        first = await built(http, blueprint, deliver={"repo_name": "shop"})
        refused = await http.post(
            f"/task/{first['task_id']}/regenerate",
            json={"update_repository": True, "deliver": {"repo_name": "x"}},
        )
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "update_repository")
        own = await stored(http, NEWER)
        alone = await built(http, own)
        nowhere = await http.post(f"/task/{alone['task_id']}/regenerate", json={"update_repository": True})
        assert (nowhere.status_code, nowhere.json()["errors"][0]["rule"]) == (422, "unknown")
        repository = Repository(tmp_path)
        repository.git("update-ref", "-d", "refs/heads/main")
        repository.path.rename(tmp_path / "away.git")
        second = await built(http, own, deliver={"repo_name": "shop"})
        assert second["state"] == "succeeded", second
        before = Repository(tmp_path).branches
        third = await regenerated(http, first, update_repository=True, blueprint_id=own)
        assert (third["state"], third["update"]["outcome"]) == ("succeeded", "not_pushed"), third
        assert "is not the one that was delivered" in third["message"]
        assert (third["archive_sha256"] is not None, third["repo_url"]) == (True, None)
        assert Repository(tmp_path).branches == before


async def test_only_who_builds_the_project_updates_its_repository(tmp_path: Path) -> None:
    async with people(tmp_path) as made:
        project = await made.project("shop")
        row = await made.call(
            "member", "POST", f"/projects/{project}/blueprints", {"name": "S", "spec": SPEC}
        )
        address = f"/blueprints/{row.json()['id']}"
        deliver = {"deliver": {"repo_name": "shop"}}
        task_id = (await made.call("member", "POST", f"{address}/generate", deliver)).json()["task_id"]
        ticket = (await made.call("member", "POST", f"/task/{task_id}/ticket")).json()["ticket"]
        await events(str(made.accounts.http.base_url), task_id, ticket=ticket)
        own = (await made.call("viewer", "POST", "/blueprints", {"name": "V", "spec": NEWER})).json()["id"]
        again = {"update_repository": True, "blueprint_id": own}
        foreign = await made.call("viewer", "POST", f"/task/{task_id}/regenerate", again)
        assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "update_repository")
        of_team = await made.call("owner", "POST", f"/task/{task_id}/regenerate", {"update_repository": True})
        assert of_team.status_code == 202, of_team.text


@pytest.mark.parametrize("point", ["push.before:1", "push.after:1"])
@pytest.mark.parametrize("is_changed", [False, True])
async def test_a_process_that_is_killed_at_the_push_pushes_once(
    tmp_path: Path, point: str, is_changed: bool
) -> None:
    async with model_server(plan_and_files({})) as server:
        variables = environment(server, WORKSPACE="true")
        async with process_of(tmp_path, variables) as process:
            row = await post(process.url, "/blueprints", {"name": "Shop", "spec": SPEC})
            address = f"/blueprints/{row.json()['id']}"
            made = await post(process.url, f"{address}/generate", {"deliver": {"repo_name": "shop"}})
            await events(process.url, made.json()["task_id"])
            first = await get(process.url, f"/api/v1/task/{made.json()['task_id']}")
        repository = Repository(tmp_path)
        head = repository.change() if is_changed else first["commit"]
        async with process_of(tmp_path, variables, point) as process:
            newer = await post(process.url, "/blueprints", {"name": "Shop 2", "spec": NEWER})
            body = {"blueprint_id": newer.json()["id"], "update_repository": True}
            accepted = await post(process.url, f"/task/{first['task_id']}/regenerate", body)
            assert await process.ended() == -9
            await process.start()
            await events(process.url, accepted.json()["task_id"])
            task = await get(process.url, f"/api/v1/task/{accepted.json()['task_id']}")
        update = task["update"]
        assert (task["state"], update["outcome"]) == ("succeeded", "branch" if is_changed else "advanced")
        expected = {"main": head, update["branch"]: update["commit"]}
        assert repository.branches == expected
        assert repository.git("rev-list", "--count", "--all") == str(3 if is_changed else 2)
