"""Several processes of gencode on one PostgreSQL database, behind nginx.

async with cluster(tmp_path, dsn, environment(model, github)) as it:
    task_id = await submit(it.url)                       # at one web process or the other, in turn
    heard = await events(it.webs[1].url, task_id)
    await it.workers[0].kill()

A model server sees at the path of a request which worker asks: see `asking`.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import psycopg
import pytest

from tests.servers.model import ModelServer, Seen
from tests.servers.proxy import SITES, Site, program, proxy, run_nginx, write_nginx
from tests.servers.service import Service

STALE_SECONDS = 4.0
"""The least that WORKER_STALE_SECONDS may be."""
_WEB = ("gencode", "serve", "--role", "web")
_WORKER = ("gencode", "worker")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """url: of the proxy, which gives each connection to another web process; dsn: of the database."""

    url: str
    dsn: str
    webs: Sequence[Service]
    workers: Sequence[Service]

    def asking(self, model: ModelServer) -> Service:
        """The worker that sent the last request to the model."""
        return self.workers[asking(model.requests[-1])]

    async def rows(self, query: str, *arguments: object) -> list[tuple[object, ...]]:
        """What the database answers."""
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            cursor = await connection.execute(query.encode(), arguments)
            return await cursor.fetchall() if cursor.description else []


def asking(seen: Seen) -> int:
    """The number of the worker that sent this request to a model."""
    return worker_of(seen.path)


def worker_of(path: str) -> int:
    found = re.search(r"/w(\d+)/", path)
    assert found, path
    return int(found[1])


def _of_worker(environment: Mapping[str, str], number: int) -> dict[str, str]:
    """With models whose addresses have the worker's number, and a database that knows it as the setting
    `gencode_test.worker`."""
    changed = {
        name: f"{value}/w{number}" for name, value in environment.items() if name.endswith("_BASE_URL")
    }
    providers = json.loads(environment.get("PROVIDERS", "{}"))
    for provider in providers.values():
        provider["base_url"] += f"/w{number}"
    changed["PROVIDERS"] = json.dumps(providers)
    changed["DATABASE_URL"] = f"{environment['DATABASE_URL']}?options=-c%20gencode_test.worker%3D{number}"
    return {**environment, **changed}


@asynccontextmanager
async def cluster(
    folder: Path, dsn: str, environment: Mapping[str, str], webs: int = 2, workers: int = 3
) -> AsyncIterator[Cluster]:
    """Started processes, killed in the end if they still run. `environment`: of all, with a Git host that all
    of them reach; see tests.servers.service.environment."""
    common = {"DATABASE_URL": dsn, "WORKER_STALE_SECONDS": f"{STALE_SECONDS:g}", **environment}
    web_processes = [Service(made(folder / f"web{n}"), common, module=_WEB) for n in range(webs)]
    worker_processes = [
        Service(made(folder / f"worker{n}"), _of_worker(common, n), module=_WORKER) for n in range(workers)
    ]
    async with _started([*web_processes, *worker_processes]):
        front = site([one.port for one in web_processes])
        proxy_folder = Path(tempfile.mkdtemp(prefix="proxy-", dir=folder)) / "nginx"
        async with proxy(front, proxy_folder, web_processes[0].port) as url:
            yield Cluster(url=url, dsn=dsn, webs=web_processes, workers=worker_processes)


@asynccontextmanager
async def _started(processes: Sequence[Service]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for one in processes:
            stack.push_async_callback(one.close)
        async with anyio.create_task_group() as group:
            for one in processes:
                group.start_soon(one.start)
        yield


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def site(ports: Sequence[int]) -> Site:
    """deploy/proxy/nginx.conf with one line for each web process."""

    def write(folder: Path, port: int, service_port: int) -> Path:
        main = write_nginx("nginx.conf", folder, port, service_port)
        one = f"server 127.0.0.1:{service_port};"
        text = main.read_text(encoding="utf-8")
        assert text.count(one) == 1
        passing = folder / "gencode-proxy.conf"  # which closes idle streams soon, for other tests
        passing.write_text((SITES / passing.name).read_text(encoding="utf-8"))
        main.write_text(text.replace(one, "\n".join(f"server 127.0.0.1:{each};" for each in ports)))
        return main

    return Site(name="cluster", program="nginx", path="", write=write, arguments=run_nginx)


needs_nginx = pytest.mark.skipif(not program("nginx"), reason="needs nginx")
