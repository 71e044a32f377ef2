"""`make faults`: what became of each row of docs/faults.md, as a table.

A test names its row with `@pytest.mark.fault(N)`; several tests may share a row.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import certifi
import pytest
import pytest_asyncio
import uvicorn.server
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser

from tests.servers.browser import chromium
from tests.servers.fork_server import FORK_SERVER
from tests.servers.postgres import MISSING, PostgresServer, is_installed, running_postgres

TABLE = Path(__file__).parents[1] / "docs" / "faults.md"
_ROW = re.compile(r"^\| *(\d+) *\| *(.+?) *\|", re.MULTILINE)

# By default an example that takes 200 ms fails its test: on a busy machine any of them may.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run: what CI says is about the change. To look for other examples:
# pytest --hypothesis-profile=search tests/properties
settings.register_profile("tests", settings.get_profile("search"), derandomize=True)
settings.load_profile("tests")

# Collecting makes half a million objects that live to the end: without this, a quarter of its time is spent
# on garbage collections that find nothing, and each later one of all generations visits them again.
gc.disable()

# A shell starts a background job with SIGINT ignored, and children inherit that: Ctrl-C would test nothing.
_is_main = threading.current_thread() is threading.main_thread()
if _is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def fault_rows() -> dict[int, str]:
    """The description of each row of the fault table, by number."""
    return {
        int(number): description for number, description in _ROW.findall(TABLE.read_text(encoding="utf-8"))
    }


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-table", action="store_true", help="print docs/faults.md with its outcomes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each process of the run begins with its part of the long tests: it is given consecutive ones."""
    long = [item for item in items if item.get_closest_marker("long")]
    short = [item for item in items if not item.get_closest_marker("long")]
    parts = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ends = [len(short) * part // parts for part in range(parts + 1)]
    items[:] = [
        item
        for part, (start, end) in enumerate(pairwise(ends))
        for item in (*long[part::parts], *short[start:end])
    ]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--fault-table"):
        config.pluginmanager.register(FaultTable())
    if os.environ.get("GENCODE_TEST_BACKEND") == "cluster":
        several_processes = import_module("tests.servers.several_processes")
        config.pluginmanager.register(several_processes.SeveralProcesses())


@pytest.fixture(scope="session", autouse=True)
def _few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Loading the public certificate authorities takes 17 ms for each client of each test, and no test
    reaches a server that they certify: here it is the first of them only."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("certificates") / "first.pem"
    file.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(file))
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # httpx loads them in place of certifi's
            patch.delenv(name, raising=False)
        yield


class _QuickAsyncio:
    """The module asyncio, but for a shorter `sleep`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


@pytest.fixture(scope="session", autouse=True)
def _quick_shutdown() -> Iterator[None]:
    """uvicorn looks ten times a second whether it is to stop, and waits a tenth of a second for connections:
    the end of each application, with its embedded servers, would take half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", _QuickAsyncio())
        yield


@pytest.fixture(scope="session", autouse=True)
def _fork_server() -> Iterator[None]:
    FORK_SERVER.is_enabled = True
    yield
    FORK_SERVER.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of this process, which leave it running; it is started for the first one."""
    if not is_installed():
        pytest.skip(MISSING)
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a database of its own, empty."""
    dsn = postgres_server.create_database()
    yield dsn
    postgres_server.drop_database(dsn)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests of this process: its start takes a second, its pages have profiles of their own."""
    async with chromium() as one:
        yield one


class FaultTable:
    """A row has passed when one of its tests did and none failed."""

    ORDER = ("failed", "passed", "skipped", "no test")

    def __init__(self) -> None:
        self._rows: dict[str, set[int]] = {}
        self._outcomes: dict[int, set[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self._rows[item.nodeid] = {row for mark in item.iter_markers("fault") for row in mark.args}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for row in self._rows.get(report.nodeid, ()):
            if report.when == "call" or report.outcome != "passed":
                self._outcomes.setdefault(row, set()).add(report.outcome)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("faults")
        for line in self._lines():
            terminalreporter.write_line(line)

    def _lines(self) -> Iterator[str]:
        for row, description in fault_rows().items():
            outcomes = self._outcomes.get(row, {"no test"})
            yield f"{row:3}  {min(outcomes, key=self.ORDER.index):8} {description}"
