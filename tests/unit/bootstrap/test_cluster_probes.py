"""What processes of a cluster tell orchestrators and Prometheus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.applications import Starlette

from gencode.bootstrap.app import build_app
from gencode.bootstrap.process_roles import Role
from gencode.security.secret_registry import SecretRegistry
from gencode.storage.postgres.store import open_postgres
from tests.e2e.test_docs import first_column, read
from tests.servers.postgres import MISSING, is_installed, running_postgres
from tests.servers.service import settings
from tests.unit.bootstrap.test_process_roles import disk
from tests.unit.storage.samples import a_task

PROBE = "gencode.http.write_probe.PROBE_SECONDS"


@asynccontextmanager
async def process(folder: Path, dsn: str, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    folder.mkdir(exist_ok=True)
    configured = settings(folder, database_url=SecretStr(dsn), hosts=disk(folder), worker_stale_seconds=4)
    app: Starlette = build_app(configured, SecretRegistry([]), role=role)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as http,
    ):
        yield http


async def measured(http: httpx.AsyncClient) -> dict[str, float]:
    """Values by name; of those with labels, the sum."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families((await http.get("/metrics")).text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


async def until(http: httpx.AsyncClient, status: int) -> str:
    """The body of /readyz once it answers so."""
    while (answer := await http.get("/readyz")).status_code != status:
        await anyio.sleep(0.01)
    return answer.text


@pytest.mark.parametrize("role", [Role.WEB, Role.WORKER, Role.ALL])
async def test_every_metric_of_a_cluster_is_documented(tmp_path: Path, postgres: str, role: Role) -> None:
    async with process(tmp_path, postgres, Role.WEB) as alone:
        own = {name for name in await measured(alone) if name.startswith("gencode_")}
    documents = read("docs/operations.md")
    cluster = set(first_column(documents, "Metric of a cluster"))
    assert cluster <= own
    async with process(tmp_path, postgres, role) as http:
        assert {name for name in await measured(http) if name.startswith("gencode_")} == own


async def test_a_process_counts_the_workers_and_what_waits(tmp_path: Path, postgres: str) -> None:
    async with process(tmp_path / "web", postgres, Role.WEB) as web:
        assert (await measured(web))["gencode_workers_alive"] == 0
        async with process(tmp_path / "worker", postgres, Role.WORKER) as worker:
            await until(worker, 200)
            while (await measured(web))["gencode_workers_alive"] != 1:
                await anyio.sleep(0.01)
        assert (await measured(web))["gencode_listening"] == 1


async def test_what_the_keeper_finds_is_counted(tmp_path: Path, postgres: str) -> None:
    """A task is stored without a job."""
    async with process(tmp_path, postgres, Role.WORKER) as http:
        async with open_postgres(postgres) as store:
            await store.create(a_task(stage="generating"), {"prompt": "x", "repo_name": "y"}, [])
        while (values := await measured(http)).get("gencode_deliveries_total", 0) < 1:
            await anyio.sleep(0.01)
        assert values["gencode_swept_tasks_total"] == 1


@pytest.mark.campaign
@pytest.mark.skipif(not is_installed(), reason=MISSING)
async def test_a_worker_is_ready_while_it_takes_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PROBE, 0)
    with running_postgres() as server:
        async with process(tmp_path, server.create_database(), Role.WORKER) as http:
            await until(http, 200)
            await anyio.to_thread.run_sync(server.stop)
            assert "database" in await until(http, 503)
            await anyio.to_thread.run_sync(server.start)
            await until(http, 200)
