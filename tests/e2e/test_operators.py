"""Keys of operators, and keys with a rate of their own, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gencode.auth.key_store import KeyOptions
from tests.e2e.test_cli import gencode, output_of
from tests.e2e.test_keys import service_with_waiting_tasks
from tests.faults.test_input import check_problem
from tests.servers.calls import BODY, client
from tests.servers.keys import keys_of
from tests.servers.service import running_app, settings

CLIENTS = ("alice", "bob")


@asynccontextmanager
async def tasks_of_two_clients(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Any]]]:
    """Yields a client, and by name: the headers of alice, bob and the operator carol, and alice's and bob's
    tasks, which never end by themselves."""
    file = keys_of(folder)
    keys = {name: file.create(name)[0] for name in CLIENTS}
    keys["carol"], _ = file.create("carol", KeyOptions(operator=True))
    headers = {name: {"X-API-Key": key} for name, key in keys.items()}
    async with service_with_waiting_tasks(folder) as app, client(app.url) as http:
        tasks = {}
        for name in CLIENTS:
            made = await http.post("/api/v1/generate", json=BODY, headers=headers[name])
            tasks[name] = made.json()["task_id"]
        yield http, {"headers": headers, "tasks": tasks, "keys": keys, "url": app.url}


async def test_an_operator_lists_shows_and_cancels_the_tasks_of_all_clients(tmp_path: Path) -> None:
    async with tasks_of_two_clients(tmp_path) as (http, found):
        carol, tasks = found["headers"]["carol"], found["tasks"]
        listed = [
            [(task["client"], task["task_id"]) for task in response.json()["tasks"]]
            for query in ({"client": "*"}, {"client": "alice"}, {})
            if (response := await http.get("/api/v1/tasks", params=query, headers=carol))
        ]
        assert listed == [
            [("bob", tasks["bob"]), ("alice", tasks["alice"])],
            [("alice", tasks["alice"])],
            [],
        ]
        assert (await http.get(f"/api/v1/task/{tasks['bob']}", headers=carol)).json()["client"] == "bob"
        cancelled = await http.post(f"/api/v1/task/{tasks['bob']}/cancel", headers=carol)
        assert cancelled.json()["status"] == "cancelled"
        check_problem(
            await http.get(f"/api/v1/task/{'0' * 8}-0000-7000-8000-{'0' * 12}", headers=carol),
            404,
            "NOT_FOUND",
        )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "request"),
        ("GET", "report"),
        ("GET", "files"),
        ("GET", "plan"),
        ("POST", "retry"),
        ("POST", "approve"),
        ("POST", "ticket"),
    ],
)
async def test_an_operator_does_nothing_else_with_them(method: str, path: str, tmp_path: Path) -> None:
    async with tasks_of_two_clients(tmp_path) as (http, found):
        url = f"/api/v1/task/{found['tasks']['alice']}/{path}"
        check_problem(await http.request(method, url, headers=found["headers"]["carol"]), 404, "NOT_FOUND")
        streamed = await http.get(
            f"/api/v1/status/{found['tasks']['alice']}", headers=found["headers"]["carol"]
        )
        check_problem(streamed, 404, "NOT_FOUND")


async def test_other_clients_see_their_own_only(tmp_path: Path) -> None:
    async with tasks_of_two_clients(tmp_path) as (http, found):
        bob, of_alice = found["headers"]["bob"], found["tasks"]["alice"]
        for name in ("*", "alice"):
            refused = await http.get("/api/v1/tasks", params={"client": name}, headers=bob)
            check_problem(refused, 403, "FORBIDDEN")
        own = await http.get("/api/v1/tasks", params={"client": "bob"}, headers=bob)
        assert [task["client"] for task in own.json()["tasks"]] == ["bob"]
        check_problem(await http.get(f"/api/v1/task/{of_alice}", headers=bob), 404, "NOT_FOUND")
        check_problem(await http.post(f"/api/v1/task/{of_alice}/cancel", headers=bob), 404, "NOT_FOUND")


async def test_the_command_line_lists_all_with_their_clients(tmp_path: Path) -> None:
    async with tasks_of_two_clients(tmp_path) as (_, found):
        key = {"GENCODE_API_KEY": found["keys"]["carol"]}
        async with gencode(tmp_path, found["url"], "tasks", "--all", **key) as process:
            lines = (await output_of(process)).splitlines()
    assert [name in line for name, line in zip(("bob", "alice"), lines, strict=True)] == [True, True]


async def test_without_keys_nobody_is_an_operator(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        refused = await http.get("/api/v1/tasks", params={"client": "*"})
    check_problem(refused, 403, "FORBIDDEN")


async def test_a_key_has_its_own_rate_for_every_kind_of_submission(tmp_path: Path) -> None:
    file = keys_of(tmp_path)
    limited, _ = file.create("alice", KeyOptions(rate="1/hour"))
    free, _ = file.create("bob")
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        answers = [
            await http.post("/api/v1/generate", json=BODY, headers={"X-API-Key": key})
            for key in (limited, limited, free, free)
        ]
    assert [answer.status_code for answer in answers] == [202, 429, 202, 202]
    check_problem(answers[1], 429, "RATE_LIMITED")
    assert "1 per 1 hour" in answers[1].json()["detail"]
    assert int(answers[1].headers["retry-after"]) > 60
    assert [answer.headers["ratelimit-limit"] for answer in answers] == ["1", "1", "60", "60"]
