"""The prompt cache, as users see it."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import environment, running_app, service, settings

FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}
BODY = {"prompt": "say hello", "repo_name": "hello"}


async def test_a_request_that_asks_for_the_cache_is_refused_while_it_is_off(tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False) as http,
    ):
        for where in ("/generate", "/estimate"):
            answer = await http.post(where, json=BODY | {"cache": True})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cache")
            assert "PROMPT_CACHE" in answer.json()["detail"]
        assert (await http.post("/generate", json=BODY | {"cache": False})).status_code == 202


async def test_a_second_request_is_answered_from_the_cache_after_a_restart_and_only_for_its_own_client(
    tmp_path: Path,
) -> None:
    keys = {"API_KEYS": "alice=key-of-alice,bob=key-of-bob", "PROMPT_CACHE": "identical"}
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github, **keys)) as process,
        httpx.AsyncClient(base_url=f"{process.url}/api/v1", trust_env=False) as http,
    ):

        async def run(name: str, key: str) -> dict[str, object]:
            headers = {"Authorization": f"Bearer {key}"}
            asked = await http.post("/generate", json=BODY | {"repo_name": name}, headers=headers)
            task_id = asked.json()["task_id"]
            assert '"status":"completed"' in (await http.get(f"/status/{task_id}", headers=headers)).text
            found: dict[str, object] = (await http.get(f"/task/{task_id}", headers=headers)).json()
            return found

        first = await run("hello", "key-of-alice")
        await process.terminate()
        await process.start()
        again = await run("again", "key-of-alice")
        other = await run("other", "key-of-bob")
        assert [first["cached_from"], again["cached_from"]] == [None, first["task_id"]]
        assert other["cached_from"] is None
        assert str(first["task_id"]) in str(again["message"])
        assert model.completed["plan", ""] == 2
        assert github.effects == {"create": 3, "push": 3}
