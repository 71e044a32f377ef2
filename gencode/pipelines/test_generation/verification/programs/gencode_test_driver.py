"""Finds out which tests of one file are of use, by running them again and again: as they stand, alone, in
other orders, on the version before the change, and on mutants. Reads job.json, writes the report to standard
output.
"""

from __future__ import annotations

import dis
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gencode.pipelines.test_generation.verification.programs.gencode_test_run import (
        OPTIONS,
        import_source,
        run_tests,
    )
    from gencode.sandbox.programs import gencode_processes as processes
    from gencode.sandbox.programs.gencode_processes import Answer
else:
    import gencode_processes as processes
    from gencode_test_run import OPTIONS, import_source, run_tests

PROGRAMS = ("gencode_test_run.py", "gencode_test_state.py")
"""In new interpreters."""
ORDERS = 4
RUN_SECONDS, STALL_SECONDS = 60.0, 20.0
"""Of one run; without another test being begun."""
MAX_ENDS = 5
"""Tests that end the process, or do not end; then the file is given up."""
HERE = os.path.dirname(os.path.abspath(__file__))
TEMPORARY = tempfile.gettempdir()


class Driver:
    """`until`: by the monotonic clock; mutants for which there is no time are not tried."""

    def __init__(self, job: dict[str, Any], until: float, answer: Answer) -> None:
        self.job = job
        self.faults: dict[str, list[str]] = {}
        self._until = until
        self._answer = answer
        self._ends = 0
        self._files = dict(processes.read_project(os.path.join(HERE, "project")))
        self._programs = {}
        for name in PROGRAMS:
            with open(os.path.join(HERE, name), encoding="utf-8") as file:
                self._programs[name] = file.read()

    # --- runs ---------------------------------------------------------------------------------------

    def run(self, order: list[str] | None = None, **options: Any) -> dict[str, Any]:
        """The report of one run in a new folder; nothing of it is left. Options: `text` of the tested file,
        `paths`, `seed` for a new interpreter, `traced`, `guarded`, `module` to import in place of tests."""
        base = tempfile.mkdtemp(prefix="run-")
        folder = os.path.join(base, "project")
        os.mkdir(os.path.join(base, "tmp"))
        text = options.get("text")
        changed = {} if text is None else {self.job["source"]: text}
        processes.write_project(folder, {**self._files, **changed})
        spec = {
            "folder": folder,
            "temporary": os.path.join(base, "tmp"),
            "framework": self.job["framework"],
            "paths": options.get("paths", [self.job["test_file"]]),
            "order": order,
            "without": list(self.faults),
            "source": self.job["source"] if options.get("traced") else "",
            "ranges": self.job["ranges"],
            "is_guarded": options.get("guarded", False),
            "module": options.get("module", ""),
            "progress": os.path.join(base, "progress"),
            "result": os.path.join(base, "result"),
        }
        try:
            return self._ran(spec, options.get("seed"))
        finally:
            processes.clean(base, TEMPORARY, "/dev/shm", HERE)  # noqa: S108 - the sandbox's own

    def _ran(self, spec: dict[str, Any], seed: int | None) -> dict[str, Any]:
        process = self._forked(spec) if seed is None else self._started(spec, seed)
        has_ended = processes.wait(process, RUN_SECONDS, lambda: _size(spec["progress"]), STALL_SECONDS)
        is_left = processes.left_behind()
        processes.end_children()
        report = _read_report(spec["result"]) or {**NOTHING, "culprit": _last_line(spec["progress"])}
        return {**report, "has_ended": has_ended, "is_left": is_left}

    def _forked(self, spec: dict[str, Any]) -> int:
        process = os.fork()
        if process:
            return process
        try:
            os.setsid()
            self._answer.close()
            processes.unprotect()
            sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != HERE]
            report = import_source(spec) if spec["module"] else run_tests(spec)
            with open(spec["result"], "w", encoding="utf-8") as file:
                json.dump(report, file)
        finally:
            os._exit(0)

    def _started(self, spec: dict[str, Any], seed: int) -> int:
        """In a new interpreter."""
        folder = f"{spec['result']}.programs"
        processes.write_project(folder, {**self._programs, "spec.json": json.dumps(spec)})
        nothing = subprocess.DEVNULL
        return subprocess.Popen(  # noqa: S603
            [sys.executable, f"{folder}/{PROGRAMS[0]}", f"{folder}/spec.json"],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            close_fds=False,  # they are closed by exec, and /proc cannot be read to list them
            start_new_session=True,
        ).pid

    def whole_run(self, order: list[str] | None = None, **options: Any) -> dict[str, Any]:
        """A run that came to its end. A test in which a run ends, or stays, is at fault, and the run is made
        again without it."""
        while True:
            wanted = None if order is None else [name for name in order if name not in self.faults]
            run = self.run(wanted, **options) if wanted != [] else EMPTY
            culprit = run.get("culprit", "")
            if run["is_whole"] or not culprit or culprit in self.faults or self._ends >= MAX_ENDS:
                return run
            self._ends += 1
            self.faults[culprit] = ["ends", ""] if run["has_ended"] else ["endless", ""]

    # --- phases -------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        baseline = self._baseline()
        natural = self.whole_run(guarded=True)
        if not natural["is_collected"] or not (natural["outcomes"] or self.faults):
            return self._unusable(baseline[0], natural)
        names = [*natural["outcomes"], *self.faults]
        self._drop_flaky(names, natural)
        self._drop_bad(names, natural)
        self._drop_order_dependent(names)
        traced = self.whole_run(self._good(names), traced=True)["lines"]
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

    def _unusable(self, baseline: str, natural: dict[str, Any]) -> dict[str, Any]:
        """The tests are not at fault if what they test cannot be imported here."""
        if not natural["is_collected"] and self.job["module"]:
            message = self.run(module=self.job["module"])["messages"].get("", "")
            if message:
                return {"unavailable": f"{self.job['source']} cannot be imported here: {message}"}
        return {"baseline": baseline, "error": natural["messages"].get("", "no test has run")}

    def _good(self, names: list[str]) -> list[str]:
        return [name for name in names if name not in self.faults]

    def _baseline(self) -> tuple[str, list[int]]:
        if not self.job["existing"]:
            return "", []
        report = self.run(paths=self.job["existing"], traced=True)
        if not report["is_whole"]:
            return f"the existing tests come to no end, in {report['culprit'] or 'one of them'}", []
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
            alone = self.whole_run([name], guarded=True)
            outcome = alone["outcomes"].get(name, "failed")
            if name in self.faults:
                continue
            if alone["is_left"]:
                alone["changes"].setdefault(name, ["it leaves a process running"])
            changes = [*alone["changes"].get(name, ()), *natural["changes"].get(name, ())]
            if outcome == "passed" and changes:
                self.faults[name] = ["pollutes", changes[0]]
            elif outcome != "passed":
                passes = natural["outcomes"].get(name) == "passed" and outcome == "failed"
                code = "depends" if passes else outcome
                self.faults[name] = [code, alone["messages"].get(name, "")]

    def _drop_flaky(self, names: list[str], natural: dict[str, Any]) -> None:
        """In new interpreters, whose hashes differ."""
        runs = [natural, *(self.whole_run(seed=seed) for seed in range(2, self.job["repeats"] + 1))]
        for name in self._good(names):
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
        outcomes = self.whole_run(order)["outcomes"]
        return [name for name in order if name not in self.faults and outcomes.get(name) != "passed"]

    def _drop_readers_of_source(self, names: list[str]) -> None:
        outcomes = self.whole_run(self._good(names), text=self.job["control"])["outcomes"]
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
        """How many each test fails on. A mutant does not count if the file cannot be imported with it. In a
        run that does not come to its end, the test that it ended in has failed."""
        good = self._good(names)
        killed = dict.fromkeys(good, 0)
        tried = 0
        for text in self.job["mutants"] if good else ():
            if time.monotonic() > self._until:
                break
            run = self.run(good, text=text)
            failed = good if run["is_whole"] else [run["culprit"]]
            if not run["is_collected"] or not set(failed) <= set(good):
                continue
            tried += 1
            for name in failed:
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


# --- processes --------------------------------------------------------------------------------------

NOTHING: dict[str, Any] = {
    "is_collected": True,
    "is_whole": False,
    "culprit": "",
    "outcomes": {},
    "messages": {},
    "changes": {},
    "lines": {},
}
"""The report of a run that did not end by itself: no test has passed."""
EMPTY = {**NOTHING, "is_whole": True, "has_ended": True, "is_left": False}
"""Of a run without tests."""


def _read_report(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and report.keys() >= NOTHING.keys() else None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _last_line(path: str) -> str:
    """The test that was begun last."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n").rpartition("\n")[2][:300]
    except OSError:
        return ""


def _warm_up() -> None:
    """Import pytest and all that it imports later, once for all runs."""
    import pytest  # noqa: PLC0415 - it may be missing

    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "test_nothing.py"), "w", encoding="utf-8") as file:
            file.write("def test_nothing():\n    assert True\n")
        pytest.main(["-q", "-c", os.devnull, "--rootdir", folder, *OPTIONS, folder])


def report_of(job: dict[str, Any], answer: Answer) -> dict[str, Any]:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        _warm_up()
    except ImportError:
        if job["framework"] == "pytest":
            return {"unavailable": "pytest is not installed in the sandbox"}
    return Driver(job, time.monotonic() + job["seconds"], answer).report()


if __name__ == "__main__":
    processes.serve(report_of)
