"""The service behind the proxies of deploy/proxy: streams, restarts and paths work as without one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr

from gencode.client import Client
from tests.faults.test_input import check_problem
from tests.servers.calls import BODY, FILES, client, get, post, streams_open, submit
from tests.servers.model import Body, ModelServer, Reply, call_of, chunk, model_server, plan_and_files, stream
from tests.servers.proxy import ALL, CADDY, HAPROXY, NGINX, Site, program, proxy, run_nginx, write_nginx
from tests.servers.service import environment, running_app, service, settings
from tests.servers.stream import events, subscribed

pytestmark = pytest.mark.one_process("it is behind a proxy of its own")


@dataclass(frozen=True, kw_only=True)
class Front:
    """url: of the service through the proxy; inside: of the service itself."""

    url: str
    inside: str


@pytest.fixture(params=ALL, ids=lambda site: site.name)
def site(request: pytest.FixtureRequest) -> Site:
    return _installed(request.param)


@pytest.fixture(params=[NGINX, CADDY, HAPROXY], ids=lambda site: site.name)
def own_site(request: pytest.FixtureRequest) -> Site:
    """A site with its own host name."""
    return _installed(request.param)


def _installed(site: Site) -> Site:
    if not program(site.program):
        pytest.skip(f"needs {site.program}")
    return site


@asynccontextmanager
async def behind(
    site: Site, folder: Path, model: ModelServer | None = None, **fields: Any
) -> AsyncIterator[Front]:
    fields = {"ping_seconds": 0.5, **fields}
    async with (
        running_app(settings(folder, model, root_path=site.path, **fields)) as app,
        proxy(site, folder / "proxy", int(app.url.rpartition(":")[2])) as url,
    ):
        yield Front(url=url, inside=app.url)


async def test_events_arrive_at_once_character_by_character(site: Site, tmp_path: Path) -> None:
    """The model sends a character only when the reader has the one before: a buffer would stop both."""
    text = FILES["app.py"]
    turns = [anyio.Event() for _ in text]

    def replace(body: Body) -> Reply | None:
        if call_of(body) != ("file", "app.py"):
            return None
        said = [chunk({"content": character}) for character in text]
        return stream(*chain.from_iterable(zip(turns, said, strict=True)), chunk({}, "stop"))

    async with (
        model_server(plan_and_files(FILES, replace=replace)) as model,
        behind(site, tmp_path, model) as front,
    ):
        task_id = await submit(front.url)
        async with subscribed(front.url, task_id, include="delta") as reader:
            await reader.until("plan")
            heard = ""
            while heard != text:
                turns[len(heard)].set()
                delta = await reader.until("delta", about="app.py")
                heard += delta.data["text"]
            await reader.until("status", status="completed")
            await reader.rest()


@pytest.mark.campaign
async def test_an_idle_stream_outlives_the_timeout_of_the_proxy(own_site: Site, tmp_path: Path) -> None:
    """nginx here closes after four seconds of silence; after six seconds of pings the stream is still
    open."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        behind(own_site, tmp_path, model, ping_seconds=0.05) as front,
    ):
        task_id = await submit(front.url)
        async with client(front.url) as http, http.stream("GET", f"/api/v1/status/{task_id}") as answer:
            pings = 0
            async for line in answer.aiter_lines():
                pings += line == ": ping"
                if pings == 120:
                    gate.set()
            assert pings >= 120
        heard = await events(front.url, task_id)
        assert heard[-1].data["status"] == "completed"


async def test_a_stream_is_resumed_with_exactly_the_next_event(own_site: Site, tmp_path: Path) -> None:
    async with behind(own_site, tmp_path) as front:
        task_id = await submit(front.url)
        whole = await events(front.url, task_id)
        assert [event.id for event in whole] == list(range(1, len(whole) + 1))
        for after in (1, len(whole) - 1):
            assert await events(front.url, task_id, after=after) == whole[after:]
        async with client(front.url) as http:
            over = await http.get(f"/api/v1/status/{task_id}", headers={"Last-Event-ID": str(len(whole))})
            assert over.status_code == 204


async def test_large_bodies_pass_and_the_service_refuses_too_large_ones(
    own_site: Site, tmp_path: Path
) -> None:
    async with behind(own_site, tmp_path) as front:
        accepted = await post(front.url, "/generate", BODY | {"prompt": "写" * 100_000})
        assert accepted.status_code == 202, accepted.text
        refused = await post(front.url, "/generate", BODY | {"prompt": "x" * 1_500_000})
        check_problem(refused, 413, "BODY_TOO_LARGE")


async def test_a_reader_that_disconnects_from_the_proxy_is_disconnected_from_the_service(
    own_site: Site, tmp_path: Path
) -> None:
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"": gate})) as model,
        behind(own_site, tmp_path, model) as front,
    ):
        task_id = await submit(front.url)
        async with subscribed(front.url, task_id) as reader:
            await reader.until("status", status="generating")
            await streams_open(front.inside, 1)
        await streams_open(front.inside, 0)
        gate.set()
        await events(front.url, task_id)


async def test_kill_9_behind_the_proxy_costs_a_reader_nothing(site: Site, tmp_path: Path) -> None:
    gates = {path: anyio.Event() for path in FILES}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        service(tmp_path, environment(model, ROOT_PATH=site.path)) as process,
        proxy(site, tmp_path / "proxy", process.port) as url,
        Client(url, sleep=lambda _: anyio.sleep(0.05)) as reader,
    ):
        task_id = (await reader.submit("say hello", "hello"))["task_id"]
        ids = []
        async for message in reader.events(task_id):
            ids.append(message.id)
            if message.kind == "plan":
                await process.kill()
                if site.program == "nginx":
                    with pytest.raises(httpx.RemoteProtocolError):  # EventSource would give up after a 502
                        await get(url, f"/api/v1/status/{task_id}")
                await process.start()
                for gate in gates.values():
                    gate.set()
        assert ids == list(range(1, len(ids) + 1))
        assert message.data["status"] == "completed"


async def test_links_point_to_the_proxy(site: Site, tmp_path: Path) -> None:
    """Whatever X-Forwarded-* contains: links are paths, with the prefix under which the proxy shows the
    service."""
    async with behind(site, tmp_path) as front:
        origin = front.url.removesuffix(site.path)
        headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
        answer = await post(front.url, "/generate", BODY, **headers)
        task = answer.json()
        assert answer.headers["location"] == task["task_url"] == f"{site.path}/api/v1/task/{task['task_id']}"
        await _read_to_the_end(origin, task["status_url"])
        for seen in (
            await get(origin, task["task_url"]),
            (await get(front.url, "/api/v1/tasks"))["tasks"][0],
        ):
            assert (seen["task_url"], seen["status_url"]) == (task["task_url"], task["status_url"])
        document = await get(front.url, "/openapi.json")
        assert document["servers"] == [{"url": site.path or "/"}]
        assert "<html" in await get(front.url, "/")


async def test_a_ticket_opens_the_stream_through_the_proxy(site: Site, tmp_path: Path) -> None:
    key = {"X-API-Key": "alices-key"}
    async with behind(site, tmp_path, api_keys=SecretStr("alice=alices-key")) as front:
        task_id = (await post(front.url, "/generate", BODY, **key)).json()["task_id"]
        ticket = (await post(front.url, f"/task/{task_id}/ticket", **key)).json()["ticket"]
        heard = await events(front.url, task_id, ticket=ticket)
        assert heard[-1].data["status"] == "completed"


async def test_metrics_are_not_public(site: Site, tmp_path: Path) -> None:
    """The nginx site with its own host name allows them from this machine only."""
    async with behind(site, tmp_path) as front, client(front.url) as http:
        answer = await http.get("/metrics")
        assert (answer.status_code == 200) == (site is NGINX)
        for path in ("//metrics", "/metrics/", "/METRICS", "/gencode/metrics", "/gencode//metrics"):
            assert (await http.get(f"{front.url}{path}")).status_code == 404
        assert site is NGINX or (await http.get(f"{front.url}/%6detrics")).status_code == 404


async def test_a_path_that_is_none_is_not_found(site: Site, tmp_path: Path) -> None:
    """nginx redirected from /status to /status/, which is not found either."""
    async with behind(site, tmp_path) as front, client(front.url) as http:
        for path in ("/api/v1/status", "/api/v1/status/", "/api/v1/task", "/api/v1//status/x"):
            check_problem(await http.get(f"{front.url}{path}"), 404, "NOT_FOUND")


async def _read_to_the_end(origin: str, status_url: str) -> None:
    async with client(origin) as http, http.stream("GET", status_url) as answer:
        assert answer.status_code == 200
        async for _ in answer.aiter_lines():
            continue


@pytest.mark.skipif(
    not (program("nginx") and all(map(shutil.which, ("openssl", "curl")))),
    reason="needs nginx, openssl and curl",
)
async def test_nginx_with_its_certificate_speaks_http_2(tmp_path: Path) -> None:
    """The site unchanged, followed by curl."""
    pem = tmp_path / "site.pem"
    make = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        pem,
        "-out",
        pem,
    ]
    subprocess.run(["openssl", *make], check=True, capture_output=True)
    secure = Site(
        name="nginx",
        program="nginx",
        path="",
        write=lambda folder, port, service: write_nginx("nginx.conf", folder, port, service, pem),
        arguments=run_nginx,
    )
    async with behind(secure, tmp_path) as front:
        task_id = await submit(front.inside)
        url = f"{front.url.replace('http', 'https', 1)}/api/v1/status/{task_id}"
        done = await anyio.run_process(["curl", "-skN", "--http2", "-w", "%{http_version}", url])
        assert b'"status":"completed"' in done.stdout
        assert done.stdout.endswith(b"2")
