"""The programs of docs/examples.md and docs/sidecar.md, run as they are printed, through kill -9 of the
service."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.streams.text import TextReceiveStream
from playwright.async_api import Browser, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from gencode.embedded.server import address, listen, serve
from tests.servers.browser import needs_chromium
from tests.servers.calls import FILES, client, get
from tests.servers.model import ModelServer, model_server, plan_and_files
from tests.servers.ports import reserve_port
from tests.servers.service import ROOT, Service, environment, service

BLOCK = re.compile(r"^```(\w+) run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Command = Callable[[Path], list[str]]


def program(document: str, language: str) -> str:
    """The only block of this language that is to be run."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    (found,) = [code for name, code in BLOCK.findall(text) if name == language]
    return found


LANGUAGES: dict[str, tuple[str, str, Command]] = {
    "python": ("python3", "example.py", lambda file: [sys.executable, str(file)]),
    "bash": ("curl", "example.sh", lambda file: ["bash", "-euo", "pipefail", str(file)]),
    "js": ("node", "example.js", lambda file: ["node", str(file)]),
    "go": ("go", "main.go", lambda file: ["go", "run", str(file)]),
}


def test_every_program_of_the_examples_is_run() -> None:
    text = (ROOT / "docs/examples.md").read_text(encoding="utf-8")
    assert {name for name, _ in BLOCK.findall(text)} == {*LANGUAGES, "html"}
    assert text.count("\n```") == 2 * len(BLOCK.findall(text))


@pytest.mark.campaign
@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_example_follows_its_task_through_kill_9(language: str, tmp_path: Path) -> None:
    """It receives each event once, and the repository in the end."""
    tool, name, command = LANGUAGES[language]
    if not shutil.which(tool):
        pytest.skip(f"needs {tool}")
    file = tmp_path / name
    file.write_text(program("examples.md", language), encoding="utf-8")
    async with (
        _service_with_gates(tmp_path) as (process, gates),
        _running_program(command(file), tmp_path, process.url) as lines,
    ):
        said = []
        async for line in lines:
            said.append(line)
            if re.match(r"\d+ plan", line):
                await process.kill()
                await process.start()
                for gate in gates.values():
                    gate.set()
        (task,) = (await get(process.url, "/api/v1/tasks"))["tasks"]
    ids = [int(line.split()[0]) for line in said if re.match(r"\d+ ", line)]
    assert ids == list(range(1, len(ids) + 1))
    assert any(re.match(r"\d+ resumed", line) for line in said)
    assert "completed" in said[-1]
    assert task["repo_url"] in said[-1]
    assert task["repo_name"].endswith("-example")


@needs_chromium
@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_follows_its_task_through_kill_9_in_a_browser(
    browser: Browser, tmp_path: Path
) -> None:
    """`EventSource` resumes by itself."""
    page_server = _page_server(program("examples.md", "html"))
    async with (
        page_server as origin,
        _service_with_gates(tmp_path, CORS_ORIGINS=origin) as (process, gates),
        await browser.new_page() as page,
    ):
        await page.goto(f"{origin}/?url={process.url}")
        log = page.locator("#log")
        await expect(log).to_contain_text(re.compile(r"\d+ plan"))
        await process.kill()
        await process.start()
        for gate in gates.values():
            gate.set()
        await expect(log).to_contain_text(re.compile(r"^completed \S+/page-example", re.MULTILINE))
        (task,) = (await get(process.url, "/api/v1/tasks"))["tasks"]
        assert f"completed {task['repo_url']}" in await log.inner_text()
        ids = [int(number) for number in re.findall(r"^(\d+) ", await log.inner_text(), re.MULTILINE)]
        assert ids == sorted(set(ids))


@pytest.mark.campaign
async def test_a_service_beside_gencode_survives_its_kill(tmp_path: Path) -> None:
    """docs/sidecar.md: two processes; an order placed with one is fulfilled through kill -9 of the other."""
    (tmp_path / "orders.py").write_text(program("sidecar.md", "python"), encoding="utf-8")
    port = reserve_port()
    command = [sys.executable, "-m", "uvicorn", "orders:app", "--port", str(port), "--log-level", "warning"]
    url = f"http://127.0.0.1:{port}"
    async with (
        _service_with_gates(tmp_path) as (process, gates),
        _running_program(command, tmp_path, process.url, lasts=True),
        client(url) as http,
    ):
        await _wait_until_it_answers(url)
        placed = await http.post("/orders", json={"wish": "say hello"})
        number = placed.json()["number"]
        await _order_when(url, number, lambda order: order["state"] == "generating")
        await process.kill()
        second = (await http.post("/orders", json={"wish": "say it again"})).json()["number"]
        await process.start()
        for gate in gates.values():
            gate.set()
        for order in (number, second):
            done = await _order_when(url, order, lambda order: order["state"] == "completed")
            (task,) = [
                task
                for task in (await get(process.url, "/api/v1/tasks"))["tasks"]
                if task["repo_name"] == f"order-{order}"
            ]
            assert done["events"] == task["last_event_id"]
            assert done["repository"] == task["repo_url"]


@asynccontextmanager
async def _service_with_gates(
    folder: Path, **more: str
) -> AsyncIterator[tuple[Service, dict[str, anyio.Event]]]:
    """A service whose model plans, and waits before each file."""
    gates = {path: anyio.Event() for path in FILES}
    model: ModelServer
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        service(folder, environment(model, **more)) as process,
    ):
        yield process, gates


@asynccontextmanager
async def _running_program(
    command: list[str], folder: Path, url: str, *, lasts: bool = False
) -> AsyncIterator[AsyncIterator[str]]:
    """The output lines of a program that uses the service. Unless it `lasts`, it must exit with 0."""
    variables = {name: os.environ[name] for name in ("PATH", "GOROOT", "GOFLAGS") if name in os.environ}
    variables |= {"HOME": str(folder), "GOCACHE": str(folder / "go"), "PYTHONPATH": f"{ROOT}:{folder}"}
    process = await anyio.open_process(command, cwd=folder, env=variables | {"GENCODE_URL": url}, stderr=None)
    async with process:
        try:
            assert process.stdout
            yield _lines(TextReceiveStream(process.stdout))
            if not lasts:
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()


async def _lines(stream: TextReceiveStream) -> AsyncIterator[str]:
    text = ""
    async for part in stream:
        *lines, text = (text + part).split("\n")
        for line in lines:
            yield line
    if text:
        yield text


async def _wait_until_it_answers(url: str) -> None:
    async with client(url) as http:
        while True:
            try:
                await http.get("/orders/0")
            except httpx.ConnectError:
                await anyio.sleep(0.02)
            else:
                return


async def _order_when(url: str, number: int, what: Callable[[Any], bool]) -> Any:
    """The order, once the condition holds for it."""
    async with client(url) as http:
        while not what(order := (await http.get(f"/orders/{number}")).json()):
            await anyio.sleep(0.02)
        return order


@asynccontextmanager
async def _page_server(page: str) -> AsyncIterator[str]:
    sock = listen()
    app = Starlette(routes=[Route("/", lambda request: HTMLResponse(page))])
    async with serve(app, sock):
        yield address(sock)
