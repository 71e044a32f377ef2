"""From requirements to a project by an assistant: the official client library, as docs/mcp.md shows it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.test_mcp import assistant, call, refused_call
from tests.servers.service import ROOT, running_app, settings

pytestmark = pytest.mark.campaign


async def test_the_document_leads_from_requirements_to_a_project(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "mcp.md").read_text(), re.S)
        block = block.replace("http://127.0.0.1:8080", app.url)
        names: dict[str, Any] = {"Client": Client, "streamable_http_client": streamable_http_client}
        exec(f"async def run():\n{textwrap.indent(block, '    ')}    return blueprint_id, project\n", names)
        blueprint_id, project = await names["run"]()
        assert not project.is_error, project.content
        shown = project.structured_content
        assert "backend/app/models/order.py" in [one["path"] for one in shown["files"]]
        assert (shown["report"]["status"], shown["report"]["reason"]) == (
            "unverified",
            "the sandbox is off (SANDBOX)",
        )
        async with assistant(app.url) as session:
            read = await call(session, "project", task_id=shown["task_id"], path="README.md")
            assert read["text"].startswith("#")
            of_build = {"task_id": shown["task_id"]}
            assert "NOT_FOUND" in await refused_call(session, "project", **of_build, path="../x")
            assert "NOT_FOUND" in await refused_call(session, "project", task_id="x")
            assert "NOT_FOUND" in await refused_call(session, "blueprint", **of_build)
            again = {"blueprint_id": blueprint_id, "regenerates": shown["task_id"]}
            newer = await call(session, "build", **again, update_repository=True)
            task = await call(session, "status", task_id=newer["task_id"], wait_seconds=30)
            assert task["update"]["outcome"] == "unchanged"


async def test_what_is_wrong_is_told_by_field(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, assistant(app.url) as session:
        made = await call(session, "makeBlueprint", text="Customers place orders.", idempotency_key="k")
        again = await call(session, "makeBlueprint", text="Customers place orders.", idempotency_key="k")
        assert made["task_id"] == again["task_id"]
        task = await call(session, "status", task_id=made["task_id"], wait_seconds=30)
        shown = await call(session, "blueprint", task_id=made["task_id"])
        assert shown["blueprint_id"] == task["blueprint_id"]
        assert len(shown["spec"]["dataModels"]) == task["entity_count"]
        wrong = {"blueprint_id": task["blueprint_id"], "stack": {"database": "oracle"}}
        assert "VALIDATION: stack.database" in await refused_call(session, "build", **wrong)
        missing = "00000000-0000-4000-8000-000000000000"
        assert "NOT_FOUND" in await refused_call(session, "build", blueprint_id=missing)
        assert "VALIDATION: text" in await refused_call(session, "makeBlueprint", text=" ")
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert tools["build"].input_schema["required"] == ["blueprint_id"]
        assert tools["project"].annotations
        assert tools["project"].annotations.read_only_hint
        assert tools.keys() >= {"makeBlueprint", "blueprint", "build", "project"}
