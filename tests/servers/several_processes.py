"""GENCODE_TEST_BACKEND=cluster: tests that know the service by its addresses run it as several processes.

`running_app` makes two web applications and three workers on one database, in the test's event loop, behind
nginx, which gives them the requests in turn; `service` makes as many processes, which are killed and started
together. Their Git host, if the test chooses none, is a directory. A test that asks for the local forge gets
one process of both roles on PostgreSQL, since it is for one process.

    @pytest.mark.local_forge              it looks at the local forge
    @pytest.mark.one_process("reason")    it is about something that one process has: skipped
"""

from __future__ import annotations

import atexit
import json
import signal
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from functools import cache
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType

import anyio
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from gencode.auth.key_store import StoredKeys
from gencode.bootstrap.app import build_app
from gencode.bootstrap.database_api_keys import DatabaseKeys
from gencode.bootstrap.process_roles import Role
from gencode.bootstrap.serve import Server, listening_socket
from gencode.embedded.server import serve_until_stopped
from gencode.http.kind_dependencies import KindFactory
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import NamedHost, Settings
from gencode.storage.postgres.signing_keys import shared_keys
from gencode.storage.postgres.store import PostgresStore, open_postgres
from tests.servers.cluster import STALE_SECONDS, Cluster, cluster, site
from tests.servers.cluster import made as made_folder
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres
from tests.servers.proxy import program, proxy
from tests.servers.service import MODULE, Service

WEBS, WORKERS = 2, 3
ROLES = [Role.WEB] * WEBS + [Role.WORKER] * WORKERS
UNMARKED = "several processes have no such thing: mark the test with one_process, or choose another way"
ENCRYPTION_KEY = b64encode(b"k" * 32).decode()
"""Of the workspace, which all processes share; a database keeps no key for itself."""
DIRECTORY = "repositories"
"""The name of the Git host of a test that chooses none, and of its folder beside DATA_DIR."""


class RunningTest:
    """What the test that runs now asks for, and what it got: several processes, one, or nothing."""

    needs_forge = False
    backends: set[str] = set()  # noqa: RUF012


PRESENT = RunningTest()
_WEB_URLS: dict[str, list[str]] = {}
"""By the address of the proxy: those of the web processes behind it."""


def urls_behind(url: str) -> list[str]:
    """Of each web process that answers at this address."""
    return _WEB_URLS.get(url, [url])


@cache
def _postgres() -> PostgresServer:
    if not is_installed():
        pytest.skip(MISSING)
    if not program("nginx"):
        pytest.skip("needs nginx")
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_postgres())


@cache
def database_of(data_dir: Path) -> str:
    """A test that starts the service again with the same folder finds what it left."""
    return _postgres().create_database()


def keys_of(data_dir: Path) -> StoredKeys:
    return DatabaseKeys(database_of(data_dir))


def open_store(data_dir: Path) -> AbstractAsyncContextManager[PostgresStore]:
    return open_postgres(database_of(data_dir))


async def signing_key(data_dir: Path, name: str) -> bytes:
    return (await shared_keys(database_of(data_dir), [name]))[name]


def database_environment(data_dir: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_of(data_dir)}


def _git_directory(data_dir: Path) -> Path:
    folder = data_dir.with_name(DIRECTORY)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _with_git_host(settings: Settings) -> Settings:
    if settings.hosts or settings.github_token.get_secret_value() or PRESENT.needs_forge:
        return settings
    host = NamedHost(kind="directory", path=_git_directory(settings.data_dir))
    return settings.model_copy(update={"hosts": {DIRECTORY: host}})


def workers() -> int:
    """Of the test that runs now."""
    return 1 if PRESENT.needs_forge else WORKERS


def _roles() -> list[Role]:
    PRESENT.backends.add("one process" if PRESENT.needs_forge else "several processes")
    return [Role.ALL] if PRESENT.needs_forge else ROLES


@asynccontextmanager
async def applications(
    settings: Settings, kinds: Sequence[KindFactory], secrets: SecretRegistry
) -> AsyncIterator[tuple[Sequence[Starlette], str]]:
    """The applications, those of web processes first, and the address at which these are reached."""
    if settings.database_url.get_secret_value():
        pytest.fail(UNMARKED)
    settings, roles = _with_git_host(settings), _roles()
    made = [
        build_app(_of_process(settings, number), secrets, kinds, role) for number, role in enumerate(roles)
    ]
    async with AsyncExitStack() as stack:
        ports = [
            await stack.enter_async_context(_served(app, settings, role))
            for app, role in zip(made, roles, strict=True)
        ]
        folder = Path(tempfile.mkdtemp(prefix="proxy-", dir=made_folder(settings.data_dir.parent))) / "nginx"
        web_ports = [port for port in ports if port]
        url = await stack.enter_async_context(proxy(site(web_ports), folder, ports[0]))
        _WEB_URLS[url] = [f"http://127.0.0.1:{port}" for port in web_ports]
        yield made, url


def _of_process(settings: Settings, number: int) -> Settings:
    """Only the first one has the test's folder."""
    folder = settings.data_dir if number == 0 else settings.data_dir.with_name(f"data{number}")
    return settings.model_copy(
        update={
            "database_url": SecretStr(database_of(settings.data_dir)),
            "worker_stale_seconds": STALE_SECONDS,
            "data_dir": folder,
            "encryption_key": SecretStr(ENCRYPTION_KEY),
        }
    )


@asynccontextmanager
async def _served(app: Starlette, settings: Settings, role: Role) -> AsyncIterator[int]:
    """The port; 0 for a worker."""
    async with AsyncExitStack() as stack:
        if not role.serves:
            await stack.enter_async_context(app.router.lifespan_context(app))
            yield 0
            return
        sock = stack.enter_context(listening_socket("127.0.0.1", 0))
        await stack.enter_async_context(app.router.lifespan_context(app))
        group = await stack.enter_async_context(anyio.create_task_group())
        server = Server(app, settings, app.state.services.closing)
        group.start_soon(serve_until_stopped, server, sock)
        try:
            yield sock.getsockname()[1]
        finally:
            server.stop()


# --- as processes -----------------------------------------------------------------------------------


class Logs:
    """The logs of all processes, where a test has one file."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def read_text(self) -> str:
        return "".join(file.read_text(encoding="utf-8") for file in self._files)

    def read_bytes(self) -> bytes:
        return self.read_text().encode()


class Services:
    """All processes of a cluster, where a test has one Service."""

    def __init__(self, it: Cluster) -> None:
        self._all = [*it.webs, *it.workers]
        self.url = it.url
        self.port = int(it.url.rpartition(":")[2])
        self.log = Logs([one.log for one in self._all])
        self.data_dir = it.webs[0].data_dir

    @property
    def pid(self) -> int:
        pytest.fail(UNMARKED)

    async def start(self, failpoint: str = "") -> None:
        if failpoint:
            pytest.fail(UNMARKED)
        await self._each(Service.start)

    async def launch(self, failpoint: str = "") -> None:
        if failpoint:
            pytest.fail(UNMARKED)
        await self._each(Service.launch)

    async def ready(self) -> bool:
        return await self._all[0].ready()

    async def ended(self) -> int:
        return await self._all[0].ended()

    async def kill(self) -> None:
        await self._each(Service.kill)

    async def terminate(self) -> int:
        """All at once: else a task would go from worker to worker."""
        for one in self._all:
            one.signal(signal.SIGTERM)
        return max([await one.ended() for one in self._all], key=abs)

    async def _each(self, act: Callable[[Service], Awaitable[object]]) -> None:
        async with anyio.create_task_group() as group:
            for one in self._all:
                group.start_soon(act, one)


@asynccontextmanager
async def services(
    folder: Path, environment: Mapping[str, str], module: Sequence[str], *others: object
) -> AsyncIterator[Service | Services]:
    """See tests.servers.service.service. `others`: what cannot be had from several processes."""
    if any(others) or "DATABASE_URL" in environment:
        pytest.fail(UNMARKED)
    dsn = database_of(folder / "data")
    if _roles() == ROLES:
        variables = _environment_with_git_host(folder / "data", environment)
        other = "" if module == MODULE else module[0]
        async with cluster(folder, dsn, variables, module=other, is_numbered=False) as it:
            _WEB_URLS[it.url] = [one.url for one in it.webs]
            yield Services(it)
        return
    process = Service(
        folder,
        {**environment, "DATABASE_URL": dsn, "WORKER_STALE_SECONDS": f"{STALE_SECONDS:g}"},
        module=module,
    )
    try:
        await process.start()
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await process.close()


def _environment_with_git_host(data_dir: Path, environment: Mapping[str, str]) -> Mapping[str, str]:
    if environment.keys() & {"GITHUB_TOKEN", "HOSTS"}:
        return environment
    host = {"kind": "directory", "path": str(_git_directory(data_dir))}
    return {**environment, "HOSTS": json.dumps({DIRECTORY: host})}


# --- for pytest -------------------------------------------------------------------------------------


STARTS = ("running_app", "service")
"""The functions of tests.servers.service that start one."""


def starts_service(item: pytest.Item) -> bool:
    """Whether the test or one of its fixtures refers, through functions of tests, to one of STARTS."""
    fixtures = getattr(item, "_fixtureinfo", None)
    definitions = [one for found in fixtures.name2fixturedefs.values() for one in found] if fixtures else []
    return _starts([getattr(item, "function", None), *(one.func for one in definitions)])


def _starts(functions: Sequence[object]) -> bool:
    seen: set[int] = set()
    waiting = [unwrap(one) for one in functions if callable(one)]
    while waiting:
        function = waiting.pop()
        if id(function) in seen or not str(getattr(function, "__module__", "")).startswith("tests."):
            continue
        seen.add(id(function))
        if function.__module__ == Service.__module__ and function.__name__ in STARTS:
            return True
        waiting += [unwrap(one) for one in _references(function) if callable(one)]
    return False


def _references(function: Callable[..., object]) -> Iterator[object]:
    """The global objects that its code names; of a class, those of its methods."""
    if isinstance(function, type):
        yield from vars(function).values()
    codes = [function.__code__] if isinstance(function, FunctionType) else []
    while codes:
        code = codes.pop()
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)


class SeveralProcesses:
    """The plugin: leaves out tests that start no service, skips what is for one process, and tells in the end
    what the others ran against."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        chosen: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            (chosen if starts_service(item) else others).append(item)
        config.hook.pytest_deselected(items=others)
        items[:] = chosen

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if mark := item.get_closest_marker("one_process"):
            pytest.skip(f"one process: {mark.args[0]}")
        PRESENT.needs_forge = item.get_closest_marker("local_forge") is not None
        PRESENT.backends.clear()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """User properties reach the process that prints."""
        if call.when == "call":
            item.user_properties.append(("backend", ", ".join(sorted(PRESENT.backends)) or "no service"))
        yield

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._outcomes[str(dict(report.user_properties).get("backend"))] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._outcomes:
            return
        counts = [f"{count} with {name}" for name, count in self._outcomes.most_common()]
        terminalreporter.write_line(f"passed: {', '.join(counts)}")
