"""Serves the application by uvicorn: the listening socket, connection limits, signals, the welcome text."""

from __future__ import annotations

import asyncio
import gc
import resource
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which

import anyio
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from gencode.bootstrap.app import BUILTIN_KINDS, build_app
from gencode.bootstrap.process_roles import Role
from gencode.domain.errors import StartError
from gencode.embedded.server import EmbeddedServer
from gencode.http.absolute_target import AbsoluteTargetMiddleware
from gencode.http.connection_limits import MAX_REFUSED, ConnectionLimits
from gencode.http.direct_write_extension import with_continuations
from gencode.http.kind_dependencies import KindFactory
from gencode.http.root_path import RootPathMiddleware
from gencode.http.uvicorn_protocol import connection_class
from gencode.observability.logs import configure_logging
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings, set_by_env_file

log = structlog.get_logger(__name__)

KEEP_ALIVE = 75
"""Seconds; longer than the 60 s of common proxies, so that it is the proxy that closes idle connections."""

RESERVED_DESCRIPTORS = 256
"""File descriptors for the service itself: sixteen model calls, five pushes, both ends of each with the
embedded servers, and the store; three times that number."""

ACCEPTS_PER_TURN = 8
"""The most connections that asyncio accepts in one turn of the event loop, before the connection limiter
handles the first; asyncio calls this number the backlog. When no descriptor is left, it tries as often,
and logs a traceback each time."""

BACKLOG = 2048
"""Connections that wait in the kernel to be accepted."""


def serve(settings: Settings, kinds: Sequence[KindFactory] = BUILTIN_KINDS, role: Role = Role.ALL) -> None:
    """Run until SIGTERM or SIGINT. Raises StartError before any request is accepted."""
    gc.disable()  # until `tune_garbage_collector`: what a start makes lives as long as the process
    secrets = SecretRegistry(settings.secrets())
    configure_logging(settings.log_level, settings.log_format, secrets.logged)
    if names := set_by_env_file():
        log.info("settings from .env of this folder", names=names)
    app = build_app(settings, secrets, kinds, role)
    anyio.run(_serve if role.serves else _work, app, settings)


async def _serve(app: Starlette, settings: Settings) -> None:
    """Runs the lifespan, which uvicorn would not: an error at start is reported in one line, and no signal
    ends the process before the lifespan has ended."""
    with listening_socket(settings.server_host, settings.server_port) as sock:
        async with app.router.lifespan_context(app):
            server = Server(app, settings, app.state.services.closing)
            with _stop_on_signals(server.stop):
                tune_garbage_collector()
                print(welcome_text(sock.getsockname()[1], settings, app.state.wants_key), flush=True)
                await server.serve(sockets=[sock])


async def _work(app: Starlette, settings: Settings) -> None:
    """Runs tasks; with WORKER_PORT, also responds to probes."""
    with ExitStack() as stack:
        sock = None
        if settings.worker_port:
            sock = stack.enter_context(listening_socket(settings.server_host, settings.worker_port))
        async with app.router.lifespan_context(app):
            closing = app.state.services.closing
            server = Server(app, settings, closing) if sock else None
            with _stop_on_signals(server.stop if server else closing.set):
                tune_garbage_collector()
                print("gencode worker is ready", flush=True)
                if server and sock:
                    await server.serve(sockets=[sock])
                await closing.wait()


def _config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    rooted = RootPathMiddleware(app, settings.root_path) if settings.root_path else app
    return uvicorn.Config(
        with_continuations(AbsoluteTargetMiddleware(rooted)),
        http=connection_class(
            _connection_limits(settings), settings.send_timeout, settings.shutdown_grace / 2
        ),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # its warnings are a line or more for each malformed request, without information
        proxy_headers=False,  # nothing here depends on the client's address, the scheme or the host name
        access_log=False,
        server_header=False,
        backlog=ACCEPTS_PER_TURN,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_grace)),
    )


def _connection_limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        head=settings.header_timeout,
        body=settings.body_timeout,
        connections=_max_connections(settings.max_connections),
    )


def _max_connections(configured: int) -> int:
    """The configured number, or as many as leave the reserved descriptors free. Raises the soft limit of
    descriptors where it is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = configured + MAX_REFUSED + RESERVED_DESCRIPTORS
    if 0 <= soft < needed:  # "no limit" is -1 on Linux
        soft = needed if hard < 0 else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    spare = soft - MAX_REFUSED - min(RESERVED_DESCRIPTORS, soft // 2)
    return configured if soft < 0 else max(1, min(configured, spare))


class Server(EmbeddedServer):
    """uvicorn with the connection class of this service. `closing` is set when it begins to stop."""

    def __init__(self, app: ASGIApp, settings: Settings, closing: anyio.Event) -> None:
        super().__init__(_config(app, settings))
        self._closing = closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or ():
            sock.listen(BACKLOG)

    def stop(self) -> None:
        """First call: let started responses finish. Second call: stop immediately."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._closing.set()


@contextmanager
def _stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    yield


def welcome_text(port: int, settings: Settings, wants_key: bool) -> str:
    """The first steps, as commands that can be pasted."""
    host = "127.0.0.1" if settings.server_host in ("0.0.0.0", "::", "localhost") else settings.server_host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    key = " -H 'Authorization: Bearer YOUR_KEY'" if wants_key else ""
    who = "API keys required" if wants_key else "this machine only, no key needed"
    option = "" if url == "http://127.0.0.1:8080" else f" --url {url}"
    return f"""
gencode is ready at {url} ({who})

  the page    {url}/
  with curl   curl -s {url}/api/v1/generate{key} -H 'Content-Type: application/json' \\
                -d '{{"prompt": "A small Flask app with user login", "repo_name": "my-flask-app"}}'
  follow it   curl -N {url}/api/v1/status/TASK_ID{key}
  or both     {_command()} generate "A small Flask app with user login" --repo my-flask-app --follow{option}
{_forge_line(settings)}"""


def _forge_line(settings: Settings) -> str:
    """The port of the local forge, since another service may need the port; empty without the forge."""
    if settings.hosts or settings.github_token:
        return ""
    try:
        port = (settings.data_dir / "forge.port").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    return f"""
  repositories go to the local forge, http://127.0.0.1:{port}
  (another port: FORGE_PORT; a Git host in its place: GITHUB_TOKEN or HOSTS)
"""


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 selects a free one. Raises StartError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.create_server((host, port), family=family, backlog=2048)
        # Accepted sockets inherit it; asyncio sets it only on sockets made with an explicit protocol number.
        # Without it the body of a response, and each event, waits up to 40 ms for the acknowledgement of the
        # previous segment (Nagle's algorithm with delayed acknowledgements).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    except OSError as error:
        raise StartError(
            f"cannot listen on {host} port {port} ({error.strerror or error}): "
            "stop what listens there, or set SERVER_PORT (and SERVER_HOST)"
        ) from None


def _command() -> str:
    """The command that runs this installation in another terminal."""
    installed = Path(sys.executable).with_name("gencode")
    return "gencode" if which("gencode") else shlex.quote(str(installed))


def tune_garbage_collector() -> None:
    """Excludes the present objects from collections, since nearly all of them live as long as the process: to
    collect first would take 0.1 s and free 2 MB. Lowers the frequency of collections, which halved tail
    latency when measured.

    generation 0  collected after 100,000 allocations; Python's default is 700
    generation 1  after 5 collections of generation 0. It holds objects that were in use during one of them;
                  with 50, it was collected only after some 3,000 tasks, when it held 100 MiB of garbage
    generation 2  after 50 collections of generation 1
    """
    gc.freeze()
    gc.set_threshold(100_000, 5, 50)
    gc.enable()
