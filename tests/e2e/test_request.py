"""The request of a task is shown to its owner, whole and in a form that can be submitted again."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from gencode.client import Client
from gencode.llm.prices import Price
from tests.e2e.test_cli import gencode, output_of
from tests.servers.calls import BODY, client
from tests.servers.github import github_server
from tests.servers.keys import keys_of
from tests.servers.model import http_error, model_server
from tests.servers.service import running_app, settings

PROMPT = "Say hello.\n" + "Explain every line of it. " * 2000
FIELDS = {"max_tokens": 5_000, "max_cost": 1e-7, "approve_plan": True, "deadline": "2999-01-31T18:00:00Z"}


async def test_a_failed_task_shows_a_request_that_can_be_submitted_again(tmp_path: Path) -> None:
    async with (
        model_server(lambda body: http_error(402, "no balance")) as model,
        github_server(tmp_path / "github") as github,
        running_app(
            settings(
                tmp_path, model, github, prices={"scripted": Price(prompt=Decimal(1), completion=Decimal(1))}
            )
        ) as app,
        client(app.url) as http,
        Client(app.url) as service,
    ):
        sent = BODY | FIELDS | {"prompt": PROMPT}
        first = (await http.post("/api/v1/generate", json=sent)).json()["task_id"]
        assert (await service.wait(first))["status"] == "failed"
        shown = await service.request(first)
        assert (sent | {"max_cost": "0.0000001"}).items() <= shown.items()
        assert shown["model"] is None, "the one that was asked for, not the one that was chosen"

        again = await http.post("/api/v1/generate", json=shown | {"prompt": "Say goodbye."})
        assert again.status_code == 202, again.text
        second = await service.request(again.json()["task_id"])
        assert second == shown | {"prompt": "Say goodbye."}

        listed, one = await http.get("/api/v1/tasks"), await http.get(f"/api/v1/task/{first}")
        assert "Explain every line" not in listed.text + one.text


async def test_the_changes_of_a_retry_are_not_in_the_request(tmp_path: Path) -> None:
    """As docs/api.md says: the request as it was accepted. The task shows its present name."""
    async with running_app(settings(tmp_path)) as app, client(app.url) as http, Client(app.url) as service:
        response = await http.post("/api/v1/generate", json=BODY | {"max_tokens": 1})
        path = f"/api/v1/task/{response.json()['task_id']}"
        assert (await service.wait(response.json()["task_id"]))["error"]["code"] == "BUDGET_EXCEEDED"
        accepted = (await http.get(f"{path}/request")).json()
        changes = {"max_tokens": 10**9, "repo_name": "another"}
        assert (await http.post(f"{path}/retry", json=changes)).status_code == 202
        assert (await http.get(f"{path}/request")).json() == accepted
        assert (await http.get(path)).json()["repo_name"] == "another"


async def test_the_callback_is_not_shown(tmp_path: Path) -> None:
    allowed = settings(tmp_path, webhook_allow_networks="0.0.0.0/0,::/0")
    async with running_app(allowed) as app, client(app.url) as http:
        response = await http.post(
            "/api/v1/generate", json=BODY | {"callback_url": "https://192.0.2.7/s3cret"}
        )
        shown = await http.get(f"/api/v1/task/{response.json()['task_id']}/request")
    assert shown.status_code == 200
    assert shown.json()["prompt"] == BODY["prompt"]
    assert "callback" not in shown.text
    assert "s3cret" not in shown.text


async def test_another_client_does_not_see_it(tmp_path: Path) -> None:
    file = keys_of(tmp_path)
    (alices, _), (bobs, _) = file.create("alice"), file.create("bob")
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        made = await http.post("/api/v1/generate", json=BODY, headers={"X-API-Key": alices})
        path = f"/api/v1/task/{made.json()['task_id']}/request"
        found = [(await http.get(path, headers={"X-API-Key": key})).status_code for key in (alices, bobs)]
    assert found == [200, 404]


async def test_the_command_line_shows_it(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        sent = BODY | {"prompt": "Say hello.\nTwice."}
        task_id = (await http.post("/api/v1/generate", json=sent)).json()["task_id"]
        async with gencode(tmp_path, app.url, "show", task_id, "--request") as process:
            text = await output_of(process)
        async with gencode(tmp_path, app.url, "show", task_id, "--request", "--json") as process:
            document = await output_of(process)
    assert sent.items() <= json.loads(document).items()
    assert "repo_name" in text
    assert text.endswith("prompt:\nSay hello.\nTwice.")
