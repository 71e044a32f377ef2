"""gencode itself, for tests: inside the test's event loop, or as a process that can be killed.

async with running_app(settings(tmp_path, model)) as app:           # the application on a real socket
async with service(tmp_path, environment(model)) as process:        # `python -m gencode serve`
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from pydantic import SecretStr

from gencode.bootstrap.app import BUILTIN_KINDS, build_app
from gencode.bootstrap.serve import Server, listening_socket
from gencode.domain.task import State
from gencode.embedded.server import address, saved_port, serve_until_stopped
from gencode.http.dependencies import Services
from gencode.http.kind_dependencies import KindFactory
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import NamedProvider, Settings
from gencode.storage.sqlite.store import open_sqlite
from tests.servers.declared_errors import check_declared_errors
from tests.servers.fork_server import FORK_SERVER, ForkedProcess
from tests.servers.github import ScriptedGitHub
from tests.servers.model import ModelServer
from tests.servers.ports import reserve_port
from tests.unit.storage.samples import REQUEST, a_task, an_event

MODULE = ("gencode", "serve")
AT_START = ("PYTHON", "LANG", "LC_", "TZ")
START_SECONDS = 60
POLL_SECONDS = 0.005
_WELCOME = re.compile(r"gencode (worker is ready|is ready at \S+ )")
ROOT = Path(__file__).parents[2]


def several_processes() -> Any:
    """tests.servers.several_processes if it is chosen, else None. It imports this module."""
    is_chosen = os.environ.get("GENCODE_TEST_BACKEND") == "cluster"
    return import_module("tests.servers.several_processes") if is_chosen else None


def urls_behind(url: str) -> list[str]:
    """The addresses of the processes that answer at this one: several behind a proxy, else itself."""
    several = several_processes()
    return several.urls_behind(url) if several else [url]


# --- in this process --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """services: those of the first process that answers requests; others: those of all other processes;
    workers: the number of processes that run tasks."""

    url: str
    services: Services
    secrets: SecretRegistry
    others: Sequence[Services] = ()
    workers: int = 1

    @property
    def subscribers(self) -> int:
        """Of event streams, in all processes."""
        hubs: list[Any] = [each.hub for each in (self.services, *self.others)]
        return sum(hub.subscribers for hub in hubs)

    @property
    def metrics(self) -> str:
        """What /metrics of each process says."""
        return "".join(each.metrics.render().decode() for each in (self.services, *self.others))

    def measured(self, sample: str) -> float:
        """The sum of a metric, with its labels, over all processes."""
        lines = [line for line in self.metrics.splitlines() if line.startswith(f"{sample} ")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@asynccontextmanager
async def running_app(settings: Settings, kinds: Sequence[KindFactory] = BUILTIN_KINDS) -> AsyncIterator[App]:
    """The application as it is served, on a free port. Not for fixtures: pytest-asyncio would exit its task
    group in another task than it was entered in."""
    secrets = SecretRegistry(settings.secrets())
    if several := several_processes():
        async with several.applications(settings, kinds, secrets) as (apps, url):
            first, *others = [app.state.services for app in apps]
            yield App(url=url, services=first, secrets=secrets, others=others, workers=several.workers())
        return
    app = build_app(settings, secrets, kinds)
    check_declared_errors(app)
    with listening_socket("127.0.0.1", 0) as sock:
        async with app.router.lifespan_context(app), anyio.create_task_group() as tg:
            services: Services = app.state.services
            server = Server(app, settings, services.closing)
            tg.start_soon(serve_until_stopped, server, sock)
            try:
                yield App(url=address(sock), services=services, secrets=secrets)
            finally:
                server.stop()


def settings(
    folder: Path, model: ModelServer | None = None, github: ScriptedGitHub | None = None, **fields: Any
) -> Settings:
    """Settings that read neither the environment nor a .env file, with a forge port of their own; with the
    scripted servers if they are given."""
    scripted: dict[str, Any] = {"forge_port": saved_port(folder / "data" / "forge.port") or reserve_port()}
    if model:
        scripted["providers"] = {"scripted": NamedProvider(base_url=model.base_url, model="m")}
    if github:
        scripted |= {"github_token": SecretStr(github.token), "github_api_url": github.api_url}
    return Settings.model_construct(data_dir=folder / "data", **scripted | fields)


# --- as a process -----------------------------------------------------------------------------------


class Service:
    """`python -m gencode serve`, or another role, one process at a time, each on the same port and folder.

    log     the file with the standard error of all processes
    nofile  the limit of open file descriptors
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        nofile: int | None = None,
        module: Sequence[str] = MODULE,
    ) -> None:
        self.data_dir = folder / "data"
        self.log = folder / "service.log"
        self.port = reserve_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._ulimit = ["sh", "-c", f'ulimit -n {nofile}; exec "$@"', "sh"] if nofile else []
        self._module = module
        self._process: Process | ForkedProcess | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, failpoint: str = "") -> None:
        """Returns when it is ready; raises RuntimeError with the end of its log if it exits before.
        `failpoint`: where it is to kill itself (see tests.servers.failpoints)."""
        await self.launch(failpoint)
        with anyio.fail_after(START_SECONDS):
            if not await self._prints_welcome():
                status = await self.ended()
                raise RuntimeError(f"it ended with {status}: {self.log.read_text()[-2000:]}")

    async def launch(self, failpoint: str = "") -> None:
        """`start` without waiting until it is ready."""
        module = ["tests.servers.failpoints", *self._module[1:]] if failpoint else self._module
        environment = self._env() | {"FAILPOINT": failpoint}
        with self.log.open("ab") as log:
            if FORK_SERVER.is_enabled and self._can_be_forked:
                self._process = await FORK_SERVER.start(module, environment, self.log.parent, log.fileno())
                return
            self._process = await anyio.open_process(
                [*self._ulimit, sys.executable, "-m", *module],
                stdin=subprocess.DEVNULL,
                stderr=log,
                cwd=self.log.parent,  # away from a developer's .env
                env=environment,
            )

    @property
    def _can_be_forked(self) -> bool:
        """Whether nothing is asked for that is decided when an interpreter starts."""
        return not self._ulimit and not any(name.startswith(AT_START) for name in self._environment)

    def _env(self) -> dict[str, str]:
        """Nothing that could be a setting is inherited."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.log.parent),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "DATA_DIR": str(self.data_dir),
            "SERVER_PORT": str(self.port),
            **self._environment,
        }

    async def _prints_welcome(self) -> bool:
        assert self._process
        assert self._process.stdout
        output = ""
        async for text in TextReceiveStream(self._process.stdout):
            output += text
            if _WELCOME.search(output):
                return True
        return False

    async def ready(self) -> bool:
        """Whether it answers /readyz before it exits."""
        ready = False
        async with anyio.create_task_group() as tg:

            async def dies() -> None:
                await self.ended()
                tg.cancel_scope.cancel()

            tg.start_soon(dies)
            while not await self._answers():
                await anyio.sleep(POLL_SECONDS)
            ready = True
            tg.cancel_scope.cancel()
        return ready

    async def _answers(self) -> bool:
        """Connections are queued while it starts: one request is mostly enough."""
        try:
            async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
                await stream.send(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                return b" 200 " in await stream.receive(100)
        except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
            return False

    async def ended(self) -> int:
        """Wait for its exit; the status, negative for the signal that ended it."""
        assert self._process
        with anyio.fail_after(START_SECONDS):
            status = await self._process.wait()
        await self._process.aclose()
        return status

    async def kill(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """SIGSTOP: it does nothing until `thaw`, and its connections stay open."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def terminate(self) -> int:
        """SIGTERM; returns the exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return await self.ended()

    async def close(self) -> None:
        if self.is_running:
            with suppress(ProcessLookupError):  # it has exited, and was not waited for yet
                os.kill(self.pid, signal.SIGKILL)
            await self.ended()


@asynccontextmanager
async def service(
    folder: Path,
    environment: Mapping[str, str],
    failpoint: str = "",
    nofile: int | None = None,
    module: Sequence[str] = MODULE,
) -> AsyncIterator[Service]:
    """A started service; killed in the end if it still runs."""
    if several := several_processes():
        async with several.services(folder, environment, module, failpoint, nofile) as processes:
            yield processes
        return
    process = Service(folder, environment, nofile, module)
    try:
        await process.start(failpoint)
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await process.close()


def environment(
    model: ModelServer | None = None, github: ScriptedGitHub | None = None, **more: str
) -> dict[str, str]:
    """The variables that make a process use the scripted servers."""
    variables: dict[str, str] = {}
    if model:
        variables["PROVIDERS"] = json.dumps({"scripted": {"base_url": model.base_url, "model": "m"}})
    if github:
        variables |= {"GITHUB_TOKEN": github.token, "GITHUB_API_URL": github.api_url}
    return variables | more


def stored_tasks(data_dir: Path) -> AbstractAsyncContextManager[Any]:
    """The store of a service with this DATA_DIR, while no process has it or several share it."""
    several = several_processes()
    return several.open_store(data_dir) if several else open_sqlite(data_dir / "gencode.db")


async def signing_key(data_dir: Path, name: str) -> bytes:
    """`ticket` or `webhook`: the key with which a service with this DATA_DIR signs."""
    several = several_processes()
    key: bytes = (
        await several.signing_key(data_dir, name) if several else (data_dir / f"{name}.key").read_bytes()
    )
    return key


async def a_large_log(data_dir: Path) -> str:
    """Store a finished task whose log (16 MB in 256 events) exceeds all socket buffers; returns its id."""
    data_dir.mkdir(mode=0o700)
    task = a_task(principal="local", state=State.SUCCEEDED, sequence=256)
    async with stored_tasks(data_dir) as store:
        await store.create(task, REQUEST, [an_event(task, id_, text="x" * 2**16) for id_ in range(1, 257)])
    return task.id
