"""/openapi.json is correct: an independent tool generates requests from it and checks the answers against
it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from starlette.routing import BaseRoute, Mount, Route

from gencode.bootstrap.app import create_app
from gencode.domain.errors import GencodeError, RequestError
from gencode.llm.prices import FREE
from gencode.pipelines.generate.api.request import GenerateRequest
from tests.e2e.openapi_hooks import MODEL
from tests.e2e.test_accounts import team
from tests.servers.calls import BODY, get, post
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.openapi import document, error_codes
from tests.servers.service import ROOT, App, running_app, settings, urls_behind

EXAMPLES = 8
"""Of each operation, besides those for each rule of the schema ("coverage")."""
KEY = {"Authorization": "Bearer the-key"}

CONFIG = """
seed = 1
continue-on-failure = true
headers = {{ Authorization = "Bearer the-key" }}

[phases.stateful]
enabled = false

[generation]
deterministic = true
max-examples = {examples}
no-shrink = true
database = "none"

[[operations]]
include-path = "/api/v1/status/{{task_id}}"
parameters = {{ "path.task_id" = "{task_id}" }}
"""


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_requests_generated_from_the_document_are_answered_as_described(tmp_path: Path) -> None:
    """Valid and invalid requests: no 5xx, only described statuses, headers, types and shapes, and no answer
    without a key. The model never answers, so tasks cost nothing."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files({"a.py": ""}, gates={"": gate})) as model,
        github_server(tmp_path / "github") as github,
    ):
        chosen = settings(
            tmp_path,
            model,
            github,
            api_keys=SecretStr("me=the-key"),
            rate_limit="1000000/minute",
            prices={MODEL: FREE},  # without a price, max_cost is refused
            max_concurrent_tasks=1,
            max_waiting_tasks=1_000_000,
        )
        async with running_app(chosen) as app:
            config = CONFIG.format(examples=EXAMPLES, task_id=await a_finished_task(app))
            (tmp_path / "schemathesis.toml").write_text(config, encoding="utf-8")
            passed, report = await schemathesis(urls_behind(app.url)[0], tmp_path)
    assert passed, report
    assert f"Tested: {len(described()) - 1}\n" in report, "all but the document's own address"


WORKSPACE_CONFIG = """
[[operations]]
include-path = "/api/v1/auth/logout"
enabled = false

[[operations]]
exclude-path-regex = "^/api/v1/(auth|users|audit|prompts)"
enabled = false
"""
"""A logout would end the session of the requests."""


REQUIREMENTS_CONFIG = """
[[operations]]
exclude-path-regex = "^/api/v1/(requirements|pipelines/(parse|requirement)|task/{task_id}/requirements)"
enabled = false

[[operations]]
include-path = "/api/v1/requirements/upload"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "^/api/v1/pipelines/"
checks.positive_data_acceptance.enabled = false
"""
"""The names of uploaded files, and which documents there are, are no matter of a schema."""


REPOSITORIES_CONFIG = """
[[operations]]
include-path-regex = "^/api/v1/(git|code-diffs)"
checks.positive_data_acceptance.enabled = false

[[operations]]
exclude-path-regex = "^/api/v1/(git|code-diffs)"
enabled = false
"""
"""Which repositories and refs there are is no matter of a schema."""


@pytest.mark.campaign
@pytest.mark.timeout(900)
@pytest.mark.one_process("the requests do not depend on the number of processes")
@pytest.mark.parametrize(
    "more",
    [WORKSPACE_CONFIG, REQUIREMENTS_CONFIG, REPOSITORIES_CONFIG],
    ids=["accounts", "requirements", "repositories"],
)
async def test_requests_to_the_workspace_are_answered_as_described(tmp_path: Path, more: str) -> None:
    async with team(tmp_path, rate_limit="1000000/minute", login_attempts=1000) as people:
        config = CONFIG.format(examples=EXAMPLES, task_id="").replace(
            "the-key", people.tokens["admin"]["access_token"]
        )
        (tmp_path / "schemathesis.toml").write_text(config + more, encoding="utf-8")
        passed, report = await schemathesis(str(people.http.base_url).rstrip("/"), tmp_path)
    assert passed, report


async def a_finished_task(app: App) -> str:
    task_id = str((await post(app.url, "/generate", BODY | {"model": MODEL}, **KEY)).json()["task_id"])
    assert (await post(app.url, f"/task/{task_id}/cancel", **KEY)).json()["status"] == "cancelled"
    return task_id


async def schemathesis(url: str, folder: Path) -> tuple[bool, str]:
    """Whether it found no fault, and its report."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.e2e.openapi_hooks",
    }
    program = str(Path(sys.executable).with_name("schemathesis"))
    # A slow machine is no fault of the document.
    tool = [program, "run", f"{url}/openapi.json", "--no-color", "--suppress-health-check=too_slow"]
    done = await anyio.run_process(tool, check=False, cwd=folder, env=environment)
    return done.returncode == 0, done.stdout.decode()


def test_every_path_and_method_is_described(tmp_path: Path) -> None:
    assert described() == set(served(create_app(settings(tmp_path)).routes))


def test_the_document_of_a_service_with_a_workspace_can_be_made(tmp_path: Path) -> None:
    """Two models of the same name, of two packages, would make it fail."""
    made = create_app(settings(tmp_path, workspace=True)).state.openapi.document
    assert set(document()["paths"]) < set(made["paths"])
    assert {name.rpartition("/")[2] for name in references(made)} <= set(made["components"]["schemas"])


def described() -> set[tuple[str, str]]:
    return {(path, method.upper()) for path, item in document()["paths"].items() for method in item}


def served(routes: list[BaseRoute], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for route in routes:
        if isinstance(route, Mount):
            found += served(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            found += [
                (prefix + route.path_format, method)
                for method in sorted(route.methods or ())
                if method != "HEAD"
            ]
    return found


def test_every_code_of_a_refused_request_is_listed() -> None:
    listed = error_codes()
    assert {error.code for error in all_subclasses(RequestError)} | {
        "STORAGE",
        "INTERNAL",
        "SECRET_FOUND",
    } == set(listed)
    assert document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == listed


def all_subclasses(error: type[GencodeError]) -> list[type[GencodeError]]:
    """Without those of the workspace, which is off here."""
    classes = [child for child in error.__subclasses__() if "workspace" not in child.__module__]
    children = [found for child in classes for found in all_subclasses(child)]
    return children if error is RequestError else [error, *children]


def test_every_reference_resolves() -> None:
    made = document()
    schemas = made["components"]["schemas"]
    assert {name.rpartition("/")[2] for name in references(made)} <= set(schemas)
    assert set(schemas["GenerateRequest"]["properties"]) == set(GenerateRequest.model_fields)


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for item in node for found in references(item)] if isinstance(node, list) else []


async def test_the_document_is_served_without_a_key(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, api_keys=SecretStr("me=the-key"))) as app:
        assert await get(app.url, "/openapi.json") == {**document(), "servers": [{"url": "/"}]}
