"""Runs test files once, in this process, and says how each test went.

Outcomes: "passed", "failed", "skipped", "xfailed" (expected to fail, with or without reason).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import types
import unittest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from gencode.pipelines.test_generation.verification.programs.gencode_test_state import (
        differences,
        framework,
        state,
    )
else:
    from gencode_test_state import differences, framework, state

TEST_CPU_SECONDS = 1.0
OPTIONS = ("-p", "no:cacheprovider", "--color=no", "--no-header", "--no-summary")
MESSAGE = 600
_ORDER = ("passed", "skipped", "xfailed", "failed")
"""From good to bad: the worst outcome of a test's parameters counts."""


class TooLong(BaseException):
    """A test needed more than TEST_CPU_SECONDS. Code that catches Exception does not catch it."""


class TestRun:
    """folder  the project's; the working directory
    order   names of the tests to run, in this order; None: all as they stand
    source  the tested file, whose lines are traced; "" for none
    """

    __test__ = False

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.folder: str = spec["folder"]
        self.order: list[str] | None = spec["order"]
        self.is_collected = self.is_whole = True
        self.current = ""
        self.outcomes: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.changes: dict[str, list[str]] = {}
        self.lines: dict[str, list[int]] = {}
        self._without = frozenset(spec["without"])
        self._source = os.path.join(self.folder, spec["source"]) if spec["source"] else ""
        self._ranges: list[list[int]] = spec["ranges"]
        self._traced: set[int] = set()
        self._places = (self.folder, spec["temporary"])
        self._pid = os.getpid()
        self._progress = os.open(spec["progress"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._is_guarded: bool = spec["is_guarded"]
        self._framework: dict[str, int] = {}

    def begin(self) -> None:
        """Before the files are imported."""
        self._framework = framework() if self._is_guarded else {}

    def report(self) -> dict[str, Any]:
        return {
            "is_collected": self.is_collected,
            "is_whole": self.is_whole,
            "culprit": "" if self.is_whole else self.current,
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
            return [test for test in tests if name_of(test) not in self._without]
        place = {name: number for number, name in enumerate(self.order)}
        chosen = [test for test in tests if name_of(test) in place]
        return sorted(chosen, key=lambda test: place[name_of(test)])

    def around(self, name: str) -> Iterator[None]:
        """A generator: what is before and after one test, with its setup."""
        self.current = name
        os.write(self._progress, name.encode("utf-8", "replace") + b"\n")
        before = state(self._places)
        yield
        if os.getpid() != self._pid:  # the test has forked, and this is the copy
            os._exit(0)
        found = [*differences(before, state(self._places)), *self._replaced()]
        if found:
            self.changes.setdefault(name, found[:5])

    def check_framework(self, who: str) -> None:
        """Who replaces a part of the test framework says nothing about tests."""
        for change in self._replaced():
            self.fail_collection(f"{who} {change.removeprefix('it ')}")

    def _replaced(self) -> list[str]:
        if not self._framework:
            return []
        now = framework()
        found = [name for name, value in self._framework.items() if now.get(name) != value]
        self._framework = now
        return [f"it replaces {name}" for name in found]

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


# --- pytest -----------------------------------------------------------------------------------------


def run_pytest(run: TestRun, paths: list[str]) -> None:
    import pytest  # noqa: PLC0415 - it may be missing

    chosen = set[str]()

    class Plugin:
        @pytest.hookimpl(trylast=True)
        def pytest_sessionstart(self) -> None:
            run.begin()

        def pytest_collection_finish(self) -> None:
            run.check_framework("the file")

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish(self) -> None:
            run.check_framework("the file")

        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items: list[Any]) -> None:
            items[:] = run.sorted(items, lambda item: _pytest_name(item.nodeid))
            chosen.update(_pytest_name(item.nodeid) for item in items)

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
            _add_report(run, report)

    options = ["-q", "-c", os.devnull, "--rootdir", run.folder, "--confcutdir", run.folder, *OPTIONS]
    places = [os.path.join(run.folder, path) for path in paths]  # none looks like an option
    status = pytest.main([*options, *_asyncio_plugin(paths), *places], plugins=[Plugin()])
    if status not in (0, 1, 5) or (run.is_collected and chosen - run.outcomes.keys()):
        run.is_whole = not run.current
        if run.is_whole:
            run.fail_collection(f"pytest ended with {status!r}")


def _add_report(run: TestRun, report: Any) -> None:
    name = _pytest_name(report.nodeid)
    if hasattr(report, "wasxfail"):
        run.add(name, "xfailed")
    elif report.failed:
        run.add(name, "failed", _crash(report))
    elif report.skipped:
        run.add(name, "skipped")
    elif report.when == "call":
        run.add(name, "passed")


def _asyncio_plugin(paths: list[str]) -> list[str]:
    """For asynchronous tests, if it is installed."""
    if importlib.util.find_spec("pytest_asyncio") is None:
        return []
    is_used = any("async def" in pathlib.Path(path).read_text(encoding="utf-8") for path in paths)
    return ["-p", "pytest_asyncio", "-o", "asyncio_mode=auto"] if is_used else []


def _pytest_name(node: str) -> str:
    """tests/test_a.py::TestB::test_c[1] is TestB.test_c."""
    return ".".join(node.partition("::")[2].partition("[")[0].split("::"))


def _crash(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)


# --- unittest ---------------------------------------------------------------------------------------


def run_unittest(run: TestRun, paths: list[str]) -> None:
    tests: list[unittest.TestCase] = []
    run.begin()
    for path in paths:
        try:
            tests += _flat(unittest.defaultTestLoader.loadTestsFromModule(_loaded(run.folder, path)))
        except Exception as error:
            run.fail_collection(f"{type(error).__name__}: {error}")
    chosen = run.sorted(tests, _unittest_name)
    result = _Result(run)
    unittest.TestSuite(chosen).run(result)  # with the fixtures of classes and modules
    for test in chosen:
        if _unittest_name(test) not in run.outcomes:
            run.add(_unittest_name(test), *result.broken_fixture)
    run.check_framework("the file")


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
        self.broken_fixture = ("failed", "it was not run")

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
        message = f"{err[0].__name__}: {err[1]}"
        if isinstance(test, unittest.TestCase):
            self._run.add(_unittest_name(test), "failed", message)
        else:
            self.broken_fixture = ("failed", message)

    addError = addFailure

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.addFailure(test, err)

    def addSkip(self, test: Any, reason: str) -> None:
        if isinstance(test, unittest.TestCase):
            self._run.add(_unittest_name(test), "skipped")
        else:
            self.broken_fixture = ("skipped", "")

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self._run.add(_unittest_name(test), "xfailed")

    def addUnexpectedSuccess(self, test: Any) -> None:
        self._run.add(_unittest_name(test), "xfailed")


# --- one run ----------------------------------------------------------------------------------------


def _enter(spec: Mapping[str, Any]) -> None:
    """The working directory becomes the project's folder."""
    random.seed()
    os.chdir(spec["folder"])
    os.environ["TMPDIR"] = spec["temporary"]
    tempfile.tempdir = None
    sys.dont_write_bytecode = True
    sys.path[:] = [spec["folder"], os.path.join(spec["folder"], "src"), *sys.path]


def run_tests(spec: Mapping[str, Any]) -> dict[str, Any]:
    """See Driver.run for `spec`."""
    if spec["framework"] == "pytest":
        importlib.import_module("pytest")  # before a file of the project can take its name
    _enter(spec)
    run = TestRun(spec)
    runner = run_unittest if spec["framework"] == "unittest" else run_pytest
    runner(run, spec["paths"])
    return run.report()


def import_source(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The report of importing a module of the project: its message is why that fails."""
    _enter(spec)
    message = ""
    try:
        importlib.import_module(spec["module"])
    except BaseException as error:
        message = f"{type(error).__name__}: {error}"[-MESSAGE:]
    return {
        "is_collected": True,
        "is_whole": True,
        "culprit": "",
        "messages": {"": message},
        "outcomes": {},
        "changes": {},
        "lines": {},
    }


if __name__ == "__main__":
    with open(sys.argv[1]) as given:
        asked = json.load(given)
    sys.path[:] = sys.path[1:]
    told = run_tests(asked)
    with open(asked["result"], "w") as written:
        json.dump(told, written)
