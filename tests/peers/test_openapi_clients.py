"""Clients generated from /openapi.json submit a task, follow it and download its files."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.installation import PYTHON, program, requires_python, run
from tests.servers.calls import FILES
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings

OPENAPI_PYTHON_CLIENT = """
import json, sys
from generated import Client
from generated.api.default import archive_files, follow_task, generate, get_task, list_tasks
from generated.models import GenerateRequest

client = Client(base_url=sys.argv[1])
task_id = generate.sync(client=client, body=GenerateRequest(prompt="say hello", repo_name="hello")).task_id
events = follow_task.sync(task_id, client=client)
task = get_task.sync(task_id, client=client)
listed = [one.task_id for one in list_tasks.sync(client=client).tasks]
archive = archive_files.sync_detailed(task_id, client=client).content
found = {"events": events, "status": task.status, "listed": task_id in listed, "zip": archive.hex()}
print(json.dumps(found))
"""
OPENAPI_GENERATOR = """
import json, sys
from openapi_client import ApiClient, Configuration, DefaultApi, GenerateRequest

api = DefaultApi(ApiClient(Configuration(host=sys.argv[1])))
task_id = api.generate(GenerateRequest(prompt="say hello", repo_name="hello")).task_id
events = api.follow_task(task_id)
task = api.get_task(task_id)
listed = [one.task_id for one in api.list_tasks().tasks]
archive = api.archive_files(task_id)
found = {"events": events, "status": task.status, "listed": task_id in listed, "zip": archive.hex()}
print(json.dumps(found))
"""
OVERRIDES = "content_type_overrides:\n  application/zip: application/octet-stream\n"


async def generate_openapi_python_client(document: Path) -> None:
    config = document.with_name("config.yml")
    config.write_text(OVERRIDES, encoding="utf-8")
    words = [
        "generate",
        "--path",
        document,
        "--config",
        config,
        "--meta",
        "none",
        "--output-path",
        "generated",
    ]
    await run(program("openapi-python-client"), *words, folder=document.parent)


async def generate_openapi_generator(document: Path) -> None:
    words = ["generate", "-i", document, "-g", "python", "-o", "."]
    await run(program("openapi-generator-cli"), *words, folder=document.parent)


@pytest.mark.parametrize(
    ("make_client", "source"),
    [
        pytest.param(
            generate_openapi_python_client,
            OPENAPI_PYTHON_CLIENT,
            marks=requires_python("openapi_python_client"),
            id="openapi-python-client",
        ),
        pytest.param(
            generate_openapi_generator,
            OPENAPI_GENERATOR,
            marks=[
                requires_python("openapi_generator_cli"),
                pytest.mark.skipif(shutil.which("java") is None, reason="needs Java"),
            ],
            id="openapi-generator",
        ),
    ],
)
async def test_a_generated_client_does_the_whole_job(
    make_client: Callable[[Path], object], source: str, tmp_path: Path
) -> None:
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        document = tmp_path / "openapi.json"
        await run("curl", "-sSf", "-o", document, f"{app.url}/openapi.json", folder=tmp_path)
        await make_client(document)
        script = tmp_path / "peer.py"
        script.write_text(source, encoding="utf-8")
        found = json.loads(await run(PYTHON, script, app.url, folder=tmp_path))
    assert (found["status"], found["listed"]) == ("completed", True)
    assert found["events"].startswith("event: status\nid: 1\n")
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(found["zip"]))) as archive:
        assert {name: archive.read(f"hello/{name}").decode() for name in FILES} == FILES
