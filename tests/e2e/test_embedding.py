"""The service inside other applications, run by their lifespans, below a path of theirs."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from gencode import create_app, running
from gencode.client import Client
from gencode.embedded.server import address, listen, serve
from gencode.engine import orphan_sweeper
from gencode.settings import NamedProvider
from tests.servers.calls import BODY, FILES, client
from tests.servers.model import http_error, model_server, plan_and_files
from tests.servers.ports import reserve_port
from tests.servers.service import ROOT, environment, settings

PREFIX = "/tools/gencode"


def starlette_host(service: Starlette, lifespan: Any) -> Starlette:
    async def hello(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("the host")

    return Starlette(routes=[Route("/hello", hello), Mount(PREFIX, service)], lifespan=lifespan)


def fastapi_host(service: Starlette, lifespan: Any) -> Starlette:
    host = FastAPI(lifespan=lifespan)

    @host.get("/hello")
    async def hello() -> str:
        return "the host"

    host.mount(PREFIX, service)
    return host


HOSTS = pytest.mark.parametrize("make", [starlette_host, fastapi_host], ids=["starlette", "fastapi"])


@asynccontextmanager
async def mounted(make: Any, folder: Path, **fields: Any) -> AsyncIterator[str]:
    """The URL of a host application that runs the service within its own lifespan."""
    service = create_app(settings(folder, **fields))

    @asynccontextmanager
    async def lifespan(_host: Any) -> AsyncIterator[None]:
        async with running(service):
            yield

    host = make(service, lifespan)
    sock = listen()
    async with host.router.lifespan_context(host), serve(host, sock):
        yield address(sock)


@HOSTS
async def test_every_link_is_below_the_prefix(make: Any, tmp_path: Path) -> None:
    async with mounted(make, tmp_path) as url, client(url) as http:
        assert "the host" in (await http.get("/hello")).text
        accepted = await http.post(f"{PREFIX}/api/v1/generate", json=BODY)
        answer = accepted.json()
        assert accepted.headers["location"] == answer["task_url"]
        assert answer["task_url"] == f"{PREFIX}/api/v1/task/{answer['task_id']}"
        stream = await http.get(answer["status_url"])
        assert "event: status" in stream.text
        task = (await http.get(answer["task_url"])).json()
        assert (task["status"], task["task_url"]) == ("completed", answer["task_url"])
        (listed,) = (await http.get(f"{PREFIX}/api/v1/tasks")).json()["tasks"]
        assert listed["status_url"] == answer["status_url"]
        document = (await http.get(f"{PREFIX}/openapi.json")).json()
        assert document["servers"] == [{"url": PREFIX}]


@HOSTS
async def test_the_page_requests_only_paths_below_the_prefix(make: Any, tmp_path: Path) -> None:
    async with mounted(make, tmp_path) as url, client(url) as http:
        bare = await http.get(PREFIX)
        assert bare.is_redirect
        assert httpx.URL(bare.headers["location"]).path == f"{PREFIX}/"
        page = await http.get(f"{PREFIX}/")
        assert page.status_code == 200
        for absolute in ('"/api', "'/api", "`/api", 'href="/', 'src="/'):
            assert absolute not in page.text


@HOSTS
async def test_a_ticket_opens_its_stream_below_the_prefix(make: Any, tmp_path: Path) -> None:
    headers = {"X-API-Key": "alices-key"}
    async with mounted(make, tmp_path, api_keys=SecretStr("alice=alices-key")) as url, client(url) as http:
        assert (await http.get(f"{PREFIX}/api/v1/tasks")).status_code == 401
        accepted = (await http.post(f"{PREFIX}/api/v1/generate", json=BODY, headers=headers)).json()
        ticket = (await http.post(f"{accepted['task_url']}/ticket", headers=headers)).json()["ticket"]
        stream = await http.get(accepted["status_url"], params={"ticket": ticket})
        assert (stream.status_code, stream.headers["content-type"].partition(";")[0]) == (
            200,
            "text/event-stream",
        )
        assert (await http.get(accepted["task_url"], params={"ticket": ticket})).status_code == 401


@HOSTS
async def test_the_client_works_below_the_prefix(make: Any, tmp_path: Path) -> None:
    async with mounted(make, tmp_path) as url, Client(url + PREFIX) as service:
        task_id = (await service.submit("say hello", "hello"))["task_id"]
        assert [message.id async for message in service.events(task_id) if message.id][-1] > 5
        assert (await service.task(task_id))["status"] == "completed"


def impatient_host(service: Starlette, lifespan: Any) -> Starlette:
    """A host that cancels each submission natively, as asyncio.timeout does: one turn of its loop later than
    the one before."""
    turns = itertools.count()

    async def impatient(scope: Scope, receive: Receive, send: Send) -> None:
        call = asyncio.ensure_future(service(scope, receive, send))
        for _ in range(next(turns) if scope["method"] == "POST" else 10**9):
            if call.done():
                break
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        if call.cancelled():
            await PlainTextResponse("too slow", 504)(scope, receive, send)

    return Starlette(routes=[Mount(PREFIX, impatient)], lifespan=lifespan)


@pytest.mark.fault(117)
async def test_a_host_that_cancels_submissions_natively_orphans_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """51 of 60 accepted tasks stayed pending behind such a middleware, until a restart."""
    monkeypatch.setattr(orphan_sweeper, "FIRST_PAUSE", 0.01)
    async with model_server(http_error(401, {"message": "no"})) as model:
        failing = {"failing": NamedProvider(base_url=model.base_url, model="m")}
        async with mounted(impatient_host, tmp_path, providers=failing) as url, client(url) as http:
            await submit_until_accepted(http)


async def submit_until_accepted(http: httpx.AsyncClient) -> None:
    """Submit until three are accepted, and wait until everything that is stored has run."""
    answers: list[int] = []
    while answers.count(202) < 3:
        answers.append((await http.post(f"{PREFIX}/api/v1/generate", json=BODY)).status_code)
    assert answers.count(504) > 3
    stored = {}
    while not stored or set(stored.values()) != {"failed"}:
        page = (await http.get(f"{PREFIX}/api/v1/tasks?limit=100")).json()
        stored = {task["task_id"]: task["status"] for task in page["tasks"]}
    assert len(stored) >= answers.count(202)


DOCUMENT = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
EXAMPLES = [
    block
    for block in re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.M | re.S)
    if "mount" in block.lower()
]


@pytest.mark.parametrize("example", EXAMPLES, ids=["fastapi", "starlette"])
async def test_streams_end_when_the_server_of_the_host_stops(example: str, tmp_path: Path) -> None:
    """The hosts of the document under plain uvicorn, whose graceful shutdown has no time limit: an open
    stream would block it."""
    (tmp_path / "host.py").write_text(example)
    gates = {path: anyio.Event() for path in FILES}
    async with model_server(plan_and_files(FILES, gates=gates)) as model:
        variables = environment(model, DATA_DIR=str(tmp_path / "data"), PATH=os.environ["PATH"])
        variables["FORGE_PORT"] = str(reserve_port())
        async with host_process(tmp_path, variables | {"PYTHONPATH": str(ROOT)}) as (url, process):
            async with client(url) as http:
                accepted = (await http.post("/gencode/api/v1/generate", json=BODY)).json()
                async with http.stream("GET", accepted["status_url"]) as stream:
                    lines = stream.aiter_lines()
                    assert await anext(lines) == "event: status"
                    process.send_signal(signal.SIGTERM)
                    rest = [line async for line in lines]
            assert any("reconnect to go on" in line for line in rest)
            with anyio.fail_after(120):
                await process.wait()
        assert "Traceback" not in (tmp_path / "log").read_text()


@asynccontextmanager
async def host_process(folder: Path, variables: dict[str, str]) -> AsyncIterator[tuple[str, Any]]:
    """`python -m uvicorn host:app`, once it answers."""
    port = reserve_port()
    command = [sys.executable, "-m", "uvicorn", "host:app", "--port", str(port), "--log-level", "warning"]
    with (folder / "log").open("wb") as log:
        process = await anyio.open_process(
            command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        async with client(f"http://127.0.0.1:{port}") as http:
            await wait_until_it_answers(http)
        yield f"http://127.0.0.1:{port}", process
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


async def wait_until_it_answers(http: httpx.AsyncClient) -> None:
    with anyio.fail_after(120):
        while True:
            try:
                assert (await http.get("/gencode/livez")).status_code == 200
                return
            except httpx.TransportError:
                await anyio.sleep(0.05)
