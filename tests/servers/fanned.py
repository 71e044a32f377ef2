"""Servers that fan events out, each in its own process, for comparison.

async with fanning("gencode") as server: ...     # also: bare, plain, nchan

Each streams events at `server.subscribe` and publishes what is posted to `server.publish` to all of them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import uvicorn
from anyio.streams.memory import MemoryObjectSendStream
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.bootstrap import serve as serving
from gencode.bootstrap.app import create_app
from gencode.domain.event import Event
from gencode.domain.task import State
from gencode.embedded.server import listen
from gencode.observability.logs import configure_logging
from tests.servers.ports import reserve_port
from tests.servers.service import settings
from tests.unit.storage.samples import REQUEST, a_task, an_event

NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")  # Debian's libnginx-mod-nchan
MOST = 12_000  # connections


@dataclass(frozen=True, kw_only=True)
class Server:
    """`pid`: of the process that does the work."""

    port: int
    pid: int
    subscribe: str
    publish: str = "/publish"

    @property
    def rss(self) -> int:
        """Bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def cpu(self) -> float:
        """Seconds so far, of all its threads (the kernel reports them in nanoseconds)."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def fanning(kind: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "nchan":
            with _nginx(Path(folder)) as server:
                yield server
            return
        command = [sys.executable, "-m", "tests.servers.fanned", kind, folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            port, path = process.stdout.readline().split()
            try:
                yield Server(port=int(port), pid=process.pid, subscribe=path)
            finally:
                process.kill()


# --- nginx with nchan -------------------------------------------------------------------------------

NGINX = """
load_module {module};
user root; worker_processes 1; worker_rlimit_nofile {files}; daemon off; pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections {files}; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location = /publish {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 100; }}
    location = /subscribe {{
      nchan_subscriber eventsource; nchan_channel_id bench; nchan_eventsource_ping_interval 15;
    }}
  }}
}}
"""


def nchan_is_installed() -> bool:
    return NCHAN.exists() and shutil.which("nginx", path=os.defpath + ":/usr/sbin") is not None


@contextmanager
def _nginx(folder: Path) -> Iterator[Server]:
    port = reserve_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(module=NCHAN, folder=folder, port=port, files=MOST))
    nginx = shutil.which("nginx", path=os.defpath + ":/usr/sbin") or "nginx"
    with subprocess.Popen([nginx, "-c", str(config), "-e", str(folder / "errors")]) as process:
        try:
            _wait_until_it_listens(port)
            yield Server(port=port, pid=_worker_of(process.pid), subscribe="/subscribe")
        finally:
            process.terminate()


def _wait_until_it_listens(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            continue
        return


def _worker_of(master: int) -> int:
    """Its first child that is a worker."""
    while True:
        for child in Path(f"/proc/{master}/task/{master}/children").read_text().split():
            if b"worker process" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)


# --- in Python --------------------------------------------------------------------------------------


async def bare() -> tuple[ASGIApp, str]:
    """As little as an ASGI application can do: one chunk, encoded once, for all subscribers."""
    added, log = asyncio.Event(), [b": welcome\n\n"]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal added
        if scope["path"] == "/publish":
            log.append(b"data: %b\n\n" % (await receive())["body"])
            added.set()
            added = asyncio.Event()
            await Response()(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        position = 0
        while True:
            while position < len(log):
                await send({"type": "http.response.body", "body": log[position], "more_body": True})
                position += 1
            await added.wait()

    return app, "/subscribe"


async def plain() -> tuple[ASGIApp, str]:
    """As the documentation of sse-starlette suggests: a memory stream for each subscriber."""
    subscribers: set[MemoryObjectSendStream[str]] = set()

    async def subscribe(request: Request) -> Response:
        into, out = anyio.create_memory_object_stream[str](100)
        subscribers.add(into)

        async def chunks() -> AsyncIterator[dict[str, str]]:
            async for text in out:
                yield {"data": text}

        return EventSourceResponse(chunks(), ping=15, send_timeout=30)

    async def publish(request: Request) -> Response:
        text = (await request.body()).decode()
        for subscriber in subscribers:
            subscriber.send_nowait(text)
        return Response()

    routes = [Route("/subscribe", subscribe), Route("/publish", publish, methods=["POST"])]
    return Starlette(routes=routes), "/subscribe"


async def serve(kind: str, folder: Path) -> None:
    if kind == "gencode":
        await gencode(folder)
        return
    app, path = await (bare() if kind == "bare" else plain())
    with listen() as sock:
        print(sock.getsockname()[1], path, flush=True)
        await uvicorn.Server(uvicorn.Config(app, log_level="error", backlog=2048)).serve([sock])


async def gencode(folder: Path) -> None:
    """The whole service with its own protocol class; events of one task are published directly to the hub."""
    configure_logging("ERROR", "json", tuple)
    chosen = settings(folder, max_connections=MOST)
    app = create_app(chosen)
    async with app.router.lifespan_context(app):
        services = app.state.services
        task = a_task(principal="local", state=State.RUNNING, stage="generating", sequence=1)
        await services.store.create(task, REQUEST, [an_event(task, 1)])
        number = 1

        async def with_publisher(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal number
            if scope["path"] != "/publish":
                await app(scope, receive, send)
                return
            number += 1
            text = (await receive())["body"].decode()
            services.hub.publish([Event(task_id=task.id, id=number, kind="file", data={"text": text})])
            await Response()(scope, receive, send)

        with serving.listening("127.0.0.1", 0) as sock:
            print(sock.getsockname()[1], f"/api/v1/status/{task.id}", flush=True)
            serving._settle_memory()
            await serving.Server(with_publisher, chosen, services.closing).serve([sock])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
