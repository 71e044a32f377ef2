"""Runs test files once, in this process, and says how each test went.

Outcomes: "passed", "failed", "skipped", "xfailed" (expected to fail, with or without reason).
"""

from __future__ import annotations

import builtins
import datetime
import importlib.util
import json
import math
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import types
import unittest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

TEST_CPU_SECONDS = 1.0
OPTIONS = ("-p", "no:cacheprovider", "--color=no", "--no-header", "--no-summary")
MESSAGE = 600
_ORDER = ("passed", "skipped", "xfailed", "failed")
"""From good to bad: the worst outcome of a test's parameters counts."""
_WATCHED = (builtins, datetime, json, math, os, pathlib, random, shutil, socket, subprocess, time)


class TooLong(BaseException):
    """A test needed more than TEST_CPU_SECONDS. Code that catches Exception does not catch it."""


class TestRun:
    """folder  the project's; the working directory
    order   names of the tests to run, in this order; None: all as they stand
    source  the tested file, whose lines are traced; "" for none
    """

    __test__ = False

    def __init__(self, folder: str, order: list[str] | None, source: str, ranges: list[list[int]]) -> None:
        self.folder = folder
        self.order = order
        self.is_collected = True
        self.outcomes: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.changes: dict[str, list[str]] = {}
        self.lines: dict[str, list[int]] = {}
        self._source = os.path.join(folder, source) if source else ""
        self._ranges = ranges
        self._traced: set[int] = set()

    def report(self) -> dict[str, Any]:
        return {
            "is_collected": self.is_collected,
            "outcomes": self.outcomes,
            "messages": self.messages,
            "changes": self.changes,
            "lines": self.lines,
        }

    def add(self, name: str, outcome: str, message: str = "") -> None:
        known = self.outcomes.get(name, "passed")
        self.outcomes[name] = max(known, outcome, key=_ORDER.index)
        if message and name not in self.messages:
            self.messages[name] = message[-MESSAGE:]

    def fail_collection(self, message: str) -> None:
        self.is_collected = False
        self.messages.setdefault("", message[-MESSAGE:])

    def sorted(self, tests: Iterable[Any], name_of: Any) -> list[Any]:
        """The tests to run, in the wanted order."""
        if self.order is None:
            return list(tests)
        place = {name: number for number, name in enumerate(self.order)}
        chosen = [test for test in tests if name_of(test) in place]
        return sorted(chosen, key=lambda test: place[name_of(test)])

    def around(self, name: str) -> Iterator[None]:
        """A generator: what is before and after one test, with its setup."""
        before = _state(self.folder)
        yield
        found = list(_differences(before, _state(self.folder)))
        if found:
            self.changes.setdefault(name, found[:5])

    def limited(self, name: str) -> Iterator[None]:
        """A generator: the test itself, with a limit of processor time, its lines traced."""
        self._traced = set()
        signal.signal(signal.SIGPROF, _too_long)
        if self._source:
            sys.settrace(self._trace)
        signal.setitimer(signal.ITIMER_PROF, TEST_CPU_SECONDS, 0.2)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            if self._source:
                sys.settrace(None)
                self.lines[name] = sorted(self._traced.union(self.lines.get(name, ())))

    def _trace(self, frame: Any, event: str, argument: Any) -> Any:
        return self._trace_line if frame.f_code.co_filename == self._source else None

    def _trace_line(self, frame: Any, event: str, argument: Any) -> Any:
        if event == "line" and any(first <= frame.f_lineno <= last for first, last in self._ranges):
            self._traced.add(frame.f_lineno)
        return self._trace_line


def _too_long(*_: Any) -> None:
    raise TooLong("it needs too much processor time")


# --- what a test changes ----------------------------------------------------------------------------


def _state(folder: str) -> dict[str, Any]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return {
        "variables": variables,
        "directory": os.getcwd(),
        "path": list(sys.path),
        "files": set(_files(folder)),
        "names": {module.__name__: _callables(module) for module in [*_WATCHED, *_modules(folder)]},
    }


def _files(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".pytest_cache")]
        yield from (os.path.relpath(os.path.join(parent, name), folder) for name in names)


def _modules(folder: str) -> list[types.ModuleType]:
    """The project's, without its tests."""
    found = []
    for module in list(sys.modules.values()):
        path = str(getattr(module, "__file__", None) or "")
        name = os.path.basename(path)
        if path.startswith(folder + os.sep) and not name.startswith("test") and name != "conftest.py":
            found.append(module)
    return found


def _callables(module: types.ModuleType) -> dict[str, int]:
    """Functions and classes by name: other values may change when the module is used."""
    return {name: id(value) for name, value in list(vars(module).items()) if callable(value)}


def _differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in sorted(before["variables"].keys() | after["variables"].keys()):
        if before["variables"].get(name) != after["variables"].get(name):
            yield f"it changes the environment variable {name}"
    if before["directory"] != after["directory"]:
        yield "it changes the working directory"
    if before["path"] != after["path"]:
        yield "it changes sys.path"
    for name in sorted(after["files"] - before["files"]):
        yield f"it leaves the file {name}"
    for name in sorted(before["files"] - after["files"]):
        yield f"it removes the file {name}"
    for module, names in before["names"].items():
        now = after["names"].get(module, names)
        for name, value in names.items():
            if now.get(name) != value:
                yield f"it replaces {module}.{name}"


# --- pytest -----------------------------------------------------------------------------------------


def run_pytest(run: TestRun, paths: list[str]) -> None:
    import pytest  # noqa: PLC0415 - it may be missing

    class Plugin:
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items: list[Any]) -> None:
            items[:] = run.sorted(items, lambda item: _pytest_name(item.nodeid))

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                run.fail_collection(str(report.longrepr))

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
            yield from run.around(_pytest_name(item.nodeid))

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_call(self, item: Any) -> Iterator[None]:
            yield from run.limited(_pytest_name(item.nodeid))

        def pytest_runtest_logreport(self, report: Any) -> None:
            name = _pytest_name(report.nodeid)
            if hasattr(report, "wasxfail"):
                run.add(name, "xfailed")
            elif report.failed:
                run.add(name, "failed", _crash(report))
            elif report.skipped:
                run.add(name, "skipped")
            elif report.when == "call":
                run.add(name, "passed")

    options = ["-q", "-c", os.devnull, "--rootdir", run.folder, "--confcutdir", run.folder, *OPTIONS]
    status = pytest.main([*options, *_asyncio_plugin(paths), *paths], plugins=[Plugin()])
    if status not in (0, 1, 5):  # passed, failed, no test found
        run.fail_collection(f"pytest ended with {status!r}")


def _asyncio_plugin(paths: list[str]) -> list[str]:
    """For asynchronous tests, if it is installed."""
    if importlib.util.find_spec("pytest_asyncio") is None:
        return []
    is_used = any("async def" in pathlib.Path(path).read_text(encoding="utf-8") for path in paths)
    return ["-p", "pytest_asyncio", "-o", "asyncio_mode=auto"] if is_used else []


def _pytest_name(node: str) -> str:
    """tests/test_a.py::TestB::test_c[1] is TestB.test_c."""
    return ".".join(node.partition("[")[0].split("::")[1:])


def _crash(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)


# --- unittest ---------------------------------------------------------------------------------------


def run_unittest(run: TestRun, paths: list[str]) -> None:
    tests: list[unittest.TestCase] = []
    for path in paths:
        try:
            tests += _flat(unittest.defaultTestLoader.loadTestsFromModule(_loaded(run.folder, path)))
        except Exception as error:
            run.fail_collection(f"{type(error).__name__}: {error}")
    result = _Result(run)
    for test in run.sorted(tests, _unittest_name):
        test.run(result)


def _loaded(folder: str, path: str) -> types.ModuleType:
    name = path[: -len(".py")].replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, path))
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _flat(suite: Any) -> list[unittest.TestCase]:
    if isinstance(suite, unittest.TestCase):
        return [suite]
    return [test for part in suite for test in _flat(part)]


def _unittest_name(test: unittest.TestCase) -> str:
    return ".".join(test.id().split(".")[-2:])


class _Result(unittest.TestResult):
    def __init__(self, run: TestRun) -> None:
        super().__init__()
        self._run = run
        self._around: list[Iterator[None]] = []

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        name = _unittest_name(test)
        self._around = [self._run.around(name), self._run.limited(name)]
        for part in self._around:
            next(part)

    def stopTest(self, test: Any) -> None:
        for part in reversed(self._around):
            next(part, None)
        super().stopTest(test)

    def addSuccess(self, test: Any) -> None:
        self._run.add(_unittest_name(test), "passed")

    def addFailure(self, test: Any, err: Any) -> None:
        self._run.add(_unittest_name(test), "failed", f"{err[0].__name__}: {err[1]}")

    addError = addFailure

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.addFailure(test, err)

    def addSkip(self, test: Any, reason: str) -> None:
        self._run.add(_unittest_name(test), "skipped")

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self._run.add(_unittest_name(test), "xfailed")

    def addUnexpectedSuccess(self, test: Any) -> None:
        self._run.add(_unittest_name(test), "xfailed")


# --- one run ----------------------------------------------------------------------------------------


def run_tests(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The working directory becomes the project's folder. `spec`: folder, framework, paths, order, source,
    ranges."""
    random.seed()
    os.chdir(spec["folder"])
    sys.dont_write_bytecode = True
    sys.path[:] = [spec["folder"], os.path.join(spec["folder"], "src"), *sys.path]
    run = TestRun(spec["folder"], spec["order"], spec["source"], spec["ranges"])
    runner = run_unittest if spec["framework"] == "unittest" else run_pytest
    runner(run, spec["paths"])
    return run.report()


if __name__ == "__main__":
    with open(sys.argv[1]) as given:
        asked = json.load(given)
    sys.path[:] = sys.path[1:]
    told = run_tests(asked)
    with open(asked["result"], "w") as written:
        json.dump(told, written)
