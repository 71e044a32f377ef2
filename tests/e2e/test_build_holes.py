"""Business flows of a build: a model writes them, once; what cannot be used stays unwritten, and is told."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.e2e.test_builds import built, service, stored
from tests.servers.calls import get, post
from tests.servers.model import Body, ModelServer, Reply, model_server, text
from tests.servers.service import environment, running_app, settings
from tests.servers.service import service as killable_service
from tests.servers.stream import events, subscribed
from tests.unit.pipelines.build.shop import shop

pytestmark = pytest.mark.campaign

GOOD = """\
from app.api.records import find
from app.models import Order

order = find(session, Order, parameters["order_id"])
order.status = "shipped"
session.commit()
return {"id": order.id, "status": order.status}
"""


def with_flows(*names: str) -> dict[str, Any]:
    spec = shop()
    (flow,) = spec["businessFlows"]
    return {**spec, "apis": [], "businessFlows": [{**flow, "name": name} for name in names]}


def asked_for(server: ModelServer, flow: str) -> int:
    wanted = f"Write the body of the function run in backend/app/flows/{flow}.py now."
    return sum(str(seen.body["messages"][1]["content"]).endswith(wanted) for seen in server.requests)


async def report_of(http: httpx.AsyncClient, task: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Source and reason by hole."""
    report = (await http.get(f"/task/{task['task_id']}/qa-report")).json()
    return {hole["name"]: (hole["source"], hole["reason"]) for hole in report["holes"]}


async def test_a_flow_is_written_once_for_the_same_inputs(tmp_path: Path) -> None:
    async with (
        model_server(text(GOOD)) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http,
    ):
        blueprint = await stored(http, shop())
        first = await built(http, blueprint)
        assert first["state"] == "succeeded", first
        assert await report_of(http, first) == {"flow/ship_order": ("model", "")}
        second = await built(http, blueprint)
        assert await report_of(http, second) == {"flow/ship_order": ("kept", "")}
        assert (second["commit"], second["checksum"]) == (first["commit"], first["checksum"])
        assert len(server.requests) == 1
        skeleton = await built(http, blueprint, holes="skeleton")
        assert skeleton["commit"] != first["commit"]
        assert skeleton["qa_report"]["unwritten_holes"] == ["flow/ship_order"]
        await built(http, blueprint, holes="rewrite")
        assert len(server.requests) == 2
        changed = await http.patch(f"/blueprints/{blueprint}", json={"spec": shop("Do something else")})
        assert changed.status_code == 200
        await built(http, blueprint)
        assert len(server.requests) == 3
        data = (await http.get(f"/task/{first['task_id']}/artifact")).content
        with zipfile.ZipFile(io.BytesIO(data)) as project:
            flow = project.read("shop/backend/app/flows/ship_order.py").decode()
        assert '    order.status = "shipped"\n' in flow


async def test_faults_go_back_once_and_then_the_flow_stays_unwritten(tmp_path: Path) -> None:
    def script(asked: Body) -> Reply:
        prompt, last = (str(asked["messages"][at]["content"]) for at in (1, -1))
        if "flows/mended.py now" in prompt:
            return text(GOOD if "faults" in last else "import os\nreturn {}")
        if "flows/declined.py now" in prompt:
            return text("# not written: nobody says what it is\n")
        return text("return {'a': open('/etc/passwd').read()}")

    async with (
        model_server(script) as server,
        running_app(settings(tmp_path, server, workspace=True)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http,
    ):
        blueprint = await stored(http, with_flows("mended", "declined", "broken"))
        task = await built(http, blueprint)
        assert task["state"] == "succeeded", task
        report = await report_of(http, task)
        assert report["flow/mended"] == ("model", "")
        assert report["flow/declined"] == ("default", "the model has not written it: nobody says what it is")
        assert report["flow/broken"][0] == "default"
        assert "open is not known here" in report["flow/broken"][1]
        assert [asked_for(server, name) for name in ("mended", "declined", "broken")] == [2, 1, 2]
        await built(http, blueprint)
        assert [asked_for(server, name) for name in ("mended", "declined", "broken")] == [2, 2, 4]


async def test_a_kill_between_two_flows_costs_nothing(tmp_path: Path) -> None:
    gate = anyio.Event()

    def script(is_open: bool) -> Any:
        def reply(asked: Body) -> Reply:
            waits = "flows/second.py now" in str(asked["messages"]) and not is_open
            return text(GOOD, gate=gate if waits else None, size=2000)

        return reply

    async with (
        model_server(script(False)) as server,
        killable_service(tmp_path, environment(server, WORKSPACE="true")) as process,
    ):
        row = await post(process.url, "/blueprints", {"name": "Shop", "spec": with_flows("first", "second")})
        accepted = await post(process.url, f"/blueprints/{row.json()['id']}/generate", {})
        task_id = accepted.json()["task_id"]
        async with subscribed(process.url, task_id) as stream:
            await stream.until("usage")
        await process.kill()
        server.script = script(True)
        await process.start()
        await events(process.url, task_id)
        task = await get(process.url, f"/api/v1/task/{task_id}")
        assert task["state"] == "succeeded", task
        report = await get(process.url, f"/api/v1/task/{task_id}/qa-report")
        assert [hole["source"] for hole in report["holes"]] == ["model", "model"]
        assert asked_for(server, "first") == 1


CALL = """
def test_it_ships(client):
    order = client.post("/api/orders", json={"total": "1.00", "status": "new"})
    assert order.status_code == 201, order.text
    shipped = client.post(f"/api/orders/{order.json()['id']}/ship", json={})
    assert (shipped.status_code, shipped.json()["status"]) == (200, "shipped"), shipped.text
    assert client.post(f"/api/orders/{order.json()['id']}/ship", json={}).status_code == 409
    assert client.post("/api/orders/99/ship", json={}).status_code == 404
"""


async def test_what_the_offline_model_writes_by_rules_works(tmp_path: Path) -> None:
    async with service(tmp_path / "data") as http:
        task = await built(http, await stored(http, shop()))
        assert await report_of(http, task) == {"flow/ship_order": ("model", "")}
        archive = await http.get(f"/task/{task['task_id']}/artifact")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as project:
        project.extractall(tmp_path)
    backend = tmp_path / "shop" / "backend"
    (backend / "tests" / "test_ship.py").write_text(CALL)
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:schemathesis")
    command = [sys.executable, "-m", "pytest", *options, "tests/test_ship.py"]
    ran = await anyio.to_thread.run_sync(
        lambda: subprocess.run(command, cwd=backend, capture_output=True, text=True, check=False)
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
