"""Finds out which tests of one file are of use, by running them again and again: as they stand, alone, in
other orders, on the version before the change, and on mutants. Reads job.json, writes report.json.
"""

from __future__ import annotations

import contextlib
import dis
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gencode.pipelines.test_generation.verification.programs.gencode_test_run import OPTIONS, run_tests
else:
    from gencode_test_run import OPTIONS, run_tests

ORDERS = 4
RUN_SECONDS = 60.0
HERE = os.path.dirname(os.path.abspath(__file__))


class Driver:
    """`until`: by the monotonic clock; mutants for which there is no time are not tried."""

    def __init__(self, job: dict[str, Any], until: float) -> None:
        self.job = job
        self.faults: dict[str, list[str]] = {}
        self._until = until
        self._files = dict(_texts(os.path.join(HERE, "project")))

    # --- runs ---------------------------------------------------------------------------------------

    def run(self, order: list[str] | None = None, **options: Any) -> dict[str, Any]:
        """The report of one run in a new folder. Options: `text` of the tested file, `paths`, `seed` for a
        new interpreter, `traced`."""
        folder = tempfile.mkdtemp(prefix="run-")
        text = options.get("text")
        changed = {} if text is None else {self.job["source"]: text}
        for path, content in {**self._files, **changed}.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8", newline="") as file:
                file.write(content)
        spec = {
            "folder": folder,
            "framework": self.job["framework"],
            "paths": options.get("paths", [self.job["test_file"]]),
            "order": order,
            "source": self.job["source"] if options.get("traced") else "",
            "ranges": self.job["ranges"],
            "result": f"{folder}.json",
        }
        try:
            return _ran(spec, options.get("seed"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # --- phases -------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        baseline = self._baseline()
        natural = self.run(seed=1)
        if not natural["is_collected"] or not natural["outcomes"]:
            return {"baseline": baseline[0], "error": natural["messages"].get("", "no test has run")}
        names = list(natural["outcomes"])
        self._drop_flaky(names, natural)
        self._drop_bad(names, natural)
        self._drop_order_dependent(names)
        traced = self.run(self._good(names), traced=True)["lines"]
        self._drop_readers_of_source(names)
        return {
            "baseline": baseline[0],
            "baseline_lines": baseline[1],
            "collected": names,
            "faults": self.faults,
            "lines": traced,
            "target_lines": sorted(self._target_lines()),
            "before": self._on_version_before(names),
            **self._on_mutants(names),
        }

    def _good(self, names: list[str]) -> list[str]:
        return [name for name in names if name not in self.faults]

    def _baseline(self) -> tuple[str, list[int]]:
        if not self.job["existing"]:
            return "", []
        report = self.run(paths=self.job["existing"], traced=True)
        covered = {line for lines in report["lines"].values() for line in lines}
        if not report["is_collected"]:
            return f"the existing tests cannot be run: {report['messages'].get('', '')[-200:]}", []
        failed = [name for name, outcome in report["outcomes"].items() if outcome == "failed"]
        total = len(report["outcomes"])
        said = f"{len(failed)} of {total} existing tests fail: {', '.join(failed[:5])}" if failed else ""
        return said or f"{total} existing tests pass", sorted(covered)

    def _drop_bad(self, names: list[str], natural: dict[str, Any]) -> None:
        """Those that do not pass alone, and those that change what they should not."""
        for name in self._good(names):
            alone = self.run([name])
            outcome = alone["outcomes"].get(name, "failed")
            changes = [*alone["changes"].get(name, ()), *natural["changes"].get(name, ())]
            if outcome == "passed" and changes:
                self.faults[name] = ["pollutes", changes[0]]
            elif outcome != "passed":
                passes = natural["outcomes"][name] == "passed" and outcome == "failed"
                code = "depends" if passes else outcome
                self.faults[name] = [code, alone["messages"].get(name, "")]

    def _drop_flaky(self, names: list[str], natural: dict[str, Any]) -> None:
        """In new interpreters, whose hashes differ."""
        runs = [natural, *(self.run(seed=seed) for seed in range(2, self.job["repeats"] + 1))]
        for name in names:
            passed = sum(run["outcomes"].get(name) == "passed" for run in runs)
            if 0 < passed < len(runs):
                self.faults[name] = ["flaky", f"it passed {passed} of {len(runs)} times"]

    def _drop_order_dependent(self, names: list[str]) -> None:
        """If a test fails after others, the one that makes it fail is at fault, if there is one."""
        failed = [(victim, order) for order in self._orders(names) for victim in self._failing(order)]
        for victim, order in failed:
            self._blame(victim, order)
        for order in self._orders(names) if failed else ():
            for name in self._failing(order):
                self.faults[name] = ["order", "it fails in another order"]

    def _blame(self, victim: str, order: list[str]) -> None:
        for other in order[: order.index(victim)]:
            if not {other, victim} & self.faults.keys() and victim in self._failing([other, victim]):
                self.faults[other] = ["pollutes", f"{victim} fails after it"]
                return

    def _orders(self, names: list[str]) -> Iterator[list[str]]:
        yield self._good(names)
        yield self._good(names)[::-1]
        for seed in range(ORDERS):
            order = self._good(names)
            random.Random(seed).shuffle(order)  # noqa: S311
            yield order

    def _failing(self, order: list[str]) -> list[str]:
        order = [name for name in order if name not in self.faults]
        outcomes = self.run(order)["outcomes"] if order else {}
        return [name for name in order if outcomes.get(name) != "passed"]

    def _drop_readers_of_source(self, names: list[str]) -> None:
        outcomes = self.run(self._good(names), text=self.job["control"])["outcomes"]
        for name in self._good(names):
            if outcomes.get(name) != "passed":
                self.faults[name] = ["source", "it fails when the source is only written in another way"]

    def _on_version_before(self, names: list[str]) -> dict[str, bool]:
        good = self._good(names)
        if self.job["before"] is None or not good:
            return {}
        run = self.run(good, text=self.job["before"])
        return {name: run["outcomes"].get(name) != "passed" for name in good} if run["is_collected"] else {}

    def _on_mutants(self, names: list[str]) -> dict[str, Any]:
        """How many each test fails on. A mutant does not count if the file cannot be imported with it, or if
        its run comes to no end."""
        good = self._good(names)
        killed = dict.fromkeys(good, 0)
        tried = 0
        for text in self.job["mutants"] if good else ():
            if time.monotonic() > self._until:
                break
            run = self.run(good, text=text)
            if not run["is_collected"] or not run.get("is_whole", True):
                continue
            tried += 1
            for name in good:
                killed[name] += run["outcomes"].get(name) != "passed"
        return {"killed": killed, "mutants": tried}

    def _target_lines(self) -> set[int]:
        try:
            source = self._files[self.job["source"]].encode()
            module = compile(source, "source", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return set()
        inside = {line for code in _functions(module) for line in _body(code)}
        return {line for line in inside if any(a <= line <= b for a, b in self.job["ranges"])}


def _functions(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code of functions."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _functions(constant)
            if "__module__" not in constant.co_names:  # else it is the body of a class
                yield constant


def _body(code: types.CodeType) -> set[int]:
    """Its lines, without that of the definition if there are others."""
    lines = {line for _, line in dis.findlinestarts(code) if line}
    return lines - {code.co_firstlineno} or lines


def _texts(folder: str) -> Iterator[tuple[str, str]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, encoding="utf-8", newline="") as file:
                yield os.path.relpath(path, folder), file.read()


# --- processes --------------------------------------------------------------------------------------

NOTHING: dict[str, Any] = {
    "is_collected": True,
    "is_whole": False,
    "outcomes": {},
    "messages": {},
    "changes": {},
    "lines": {},
}
"""The report of a run that did not end by itself: no test has passed."""


def _ran(spec: dict[str, Any], seed: int | None) -> dict[str, Any]:
    process = _forked(spec) if seed is None else _started(spec, seed)
    _wait(process)
    try:
        with open(spec["result"], encoding="utf-8") as file:
            report: dict[str, Any] = json.load(file)
        os.unlink(spec["result"])
    except (OSError, ValueError):
        return NOTHING
    return report


def _forked(spec: dict[str, Any]) -> int:
    process = os.fork()
    if process:
        return process
    try:
        os.setsid()
        _discard_output()
        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != HERE]
        report = run_tests(spec)
        with open(spec["result"], "w", encoding="utf-8") as file:
            json.dump(report, file)
    finally:
        os._exit(0)


def _started(spec: dict[str, Any], seed: int) -> int:
    """In a new interpreter."""
    given = f"{spec['result']}.spec"
    with open(given, "w", encoding="utf-8") as file:
        json.dump(spec, file)
    command = [sys.executable, os.path.join(HERE, "gencode_test_run.py"), given]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.Popen(  # noqa: S603
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ).pid


def _wait(process: int) -> None:
    """Until it ends, RUN_SECONDS at most; then its group is ended."""
    until = time.monotonic() + RUN_SECONDS
    while time.monotonic() < until:
        ended, _ = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        time.sleep(0.005)
    else:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _discard_output() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _warm_up() -> None:
    """Import pytest and all that it imports later, once for all runs."""
    import pytest  # noqa: PLC0415 - it may be missing

    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "test_nothing.py"), "w", encoding="utf-8") as file:
            file.write("def test_nothing():\n    assert True\n")
        pytest.main(["-q", "-c", os.devnull, "--rootdir", folder, *OPTIONS, folder])


def main() -> None:
    with open("job.json", encoding="utf-8") as file:
        job = json.load(file)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    report: dict[str, Any] = {"unavailable": ""}
    try:
        _warm_up()
    except ImportError:
        if job["framework"] == "pytest":
            report["unavailable"] = "pytest is not installed in the sandbox"
    if not report["unavailable"]:
        report.update(Driver(job, time.monotonic() + job["seconds"]).report())
    with open("report.json", "w", encoding="utf-8") as file:
        json.dump(report, file)


if __name__ == "__main__":
    main()
