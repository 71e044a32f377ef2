"""Finds out which tests of one file of JavaScript, TypeScript or Go are of use, by running the framework
again and again: as the file stands, shuffled, each test alone, on the version before the change, and on
mutants. Reads job.json, writes the report to standard output.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from gencode.pipelines.test_generation.verification.programs.gencode_tool_runs import TOOLS
    from gencode.sandbox.programs import gencode_processes as processes
    from gencode.sandbox.programs.gencode_processes import Answer
else:
    import gencode_processes as processes
    from gencode_tool_runs import TOOLS

RUN_SECONDS = 90.0
OUTPUT_BYTES = 16 * 2**20
HERE = os.path.dirname(os.path.abspath(__file__))
TEMPORARY = tempfile.gettempdir()
_PLACEHOLDER = re.compile(r"%[a-zA-Z#]|\$\{[^}]*\}|\$[\w.#]+")
"""In the title of a test that is made for each row of a table."""


class ToolDriver:
    """`until`: by the monotonic clock; mutants for which there is no time are not tried."""

    def __init__(self, job: dict[str, Any], until: float) -> None:
        self.job = job
        self.tool = TOOLS[job["framework"]]()
        self.faults: dict[str, list[str]] = {}
        self.lines: dict[str, list[int]] = {}
        self.target_lines: set[int] = set()
        self._until = until
        self._patterns = {name: _pattern(name) for name in job["tests"]}
        self._files = dict(processes.read_project(os.path.join(HERE, "project")))

    # --- runs ---------------------------------------------------------------------------------------

    def run(self, names: list[str] | None = None, **options: Any) -> dict[str, Any]:
        """Outcomes by the name of a test, and why the file could not be run. Options: `text` of the tested
        file, `tests` in place of the test file's text, `seed`, `measured`."""
        base = tempfile.mkdtemp(prefix="run-")
        folder = os.path.join(base, "project")
        files = {**self._files}
        for path, text in ((self.job["source"], "text"), (self.job["test_file"], "tests")):
            if options.get(text) is not None:
                files[path] = options[text]
        processes.write_project(folder, self.tool.completed(files, self.job["test_file"]))
        if names is None and "tests" not in options and self.tool.runs_whole_folders:
            names = list(self._patterns)
        pattern = None if names is None else f"^(?:{'|'.join(self._patterns[name] for name in names)})$"
        try:
            self.tool.prepare(base)
            source = self.job["source"] if options.get("measured") else ""
            command = self.tool.command(base, self.job["test_file"], pattern, options.get("seed"), source)
            return {**self._ran(base, folder, command), "coverage": self.tool.coverage(base, source)}
        finally:
            processes.end_children()
            processes.clean(base, TEMPORARY, "/dev/shm", HERE)  # noqa: S108 - the sandbox's own

    def _ran(self, base: str, folder: str, command: list[str]) -> dict[str, Any]:
        with open(os.path.join(base, "output"), "wb") as output:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                env={**os.environ, "TMPDIR": base, **self.tool.environment(HERE)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                close_fds=False,  # see gencode_test_driver
                start_new_session=True,
            )
        has_ended = processes.wait(process.pid, RUN_SECONDS, lambda: 0, RUN_SECONDS)
        process.returncode = 0  # it is reaped
        is_left = processes.left_behind()
        processes.end_children()
        with open(os.path.join(base, "output"), encoding="utf-8", errors="replace") as text:
            said = text.read(OUTPUT_BYTES)
        found: dict[str, str] = {}
        for raw, outcome in self.tool.outcomes(base, said).items():
            name = self._name(raw)
            found[name] = max(found.get(name, "passed"), outcome, key=_ORDER.index)
        message = self.tool.reason(base, said)
        return {"outcomes": found, "message": message, "has_ended": has_ended, "is_left": is_left}

    def _name(self, raw: str) -> str:
        """As the file declares it."""
        if raw in self._patterns:
            return raw
        found = (name for name, pattern in self._patterns.items() if re.fullmatch(pattern, raw))
        return next(found, raw)

    # --- phases -------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        natural = self.run()
        if not natural["outcomes"]:
            return self._unusable(natural)
        names = list(natural["outcomes"])
        self._drop_bad(names, natural["outcomes"])
        self._drop_unreliable(names)
        self._drop_readers_of_source(names)
        return {
            "collected": names,
            "faults": self.faults,
            "before": self._on_version_before(names),
            "lines": self.lines if self.target_lines else {},
            "target_lines": sorted(self.target_lines),
            **self._on_mutants(names),
        }

    def _good(self, names: list[str]) -> list[str]:
        return [name for name in names if name not in self.faults]

    def _unusable(self, natural: dict[str, Any]) -> dict[str, Any]:
        """The tests are not at fault if the framework cannot load what they test."""
        loaded = self.run(tests=self.job["probe"])
        if loaded["outcomes"].get("gencode probe", loaded["outcomes"].get("TestGencodeProbe")) != "passed":
            reason = loaded["message"] or natural["message"] or "it said nothing"
            return {"unavailable": f"{self.job['source']} cannot be loaded here: {reason}"[-1500:]}
        if not natural["has_ended"]:
            return {"error": "the run does not end"}
        return {"error": natural["message"] or "no test has run"}

    def _drop_bad(self, names: list[str], natural: dict[str, str]) -> None:
        for name in names:
            if natural[name] in ("skipped", "xfailed"):
                self.faults[name] = [natural[name], ""]
            elif name in self._patterns:
                self._drop_unless_alone(name, natural[name])

    def _drop_unless_alone(self, name: str, natural: str) -> None:
        alone = self.run([name], measured=True)
        outcome = alone["outcomes"].get(name, "failed")
        if outcome != "passed":
            code = "depends" if natural == "passed" else "failed"
            self.faults[name] = [code, alone["message"]] if alone["has_ended"] else ["endless", ""]
        elif natural != "passed":
            self.faults[name] = ["order", "it fails after other tests"]
        elif alone["is_left"]:
            self.faults[name] = ["pollutes", "it leaves a process running"]
        else:
            self._count_lines(name, alone["coverage"])

    def _count_lines(self, name: str, coverage: dict[int, bool]) -> None:
        tested = {line for first, last in self.job["ranges"] for line in range(first, last + 1)}
        self.target_lines |= coverage.keys() & tested
        self.lines[name] = sorted(line for line in coverage.keys() & tested if coverage[line])

    def _drop_unreliable(self, names: list[str]) -> None:
        """Again, and in other orders."""
        good = [name for name in self._good(names) if name in self._patterns]
        for seed in range(1, self.job["repeats"]) if good else ():
            outcomes = self.run(good, seed=seed)["outcomes"]
            for name in self._good(good):
                if outcomes.get(name) != "passed":
                    self.faults[name] = ["flaky", "it does not pass each time, or in each order"]

    def _drop_readers_of_source(self, names: list[str]) -> None:
        good = self._good(names)
        outcomes = self.run(text=self.job["control"])["outcomes"] if good else {}
        for name in good:
            if outcomes.get(name) != "passed":
                self.faults[name] = ["source", "it fails when the source is only written in another way"]

    def _on_version_before(self, names: list[str]) -> dict[str, bool]:
        good = self._good(names)
        if self.job["before"] is None or not good:
            return {}
        outcomes = self.run(text=self.job["before"])["outcomes"]
        return {name: outcomes.get(name) != "passed" for name in good} if outcomes else {}

    def _on_mutants(self, names: list[str]) -> dict[str, Any]:
        """How many each test fails on. A mutant with which the file cannot be run does not count."""
        good = self._good(names)
        killed = dict.fromkeys(good, 0)
        tried = 0
        for text in self.job["mutants"] if good else ():
            if time.monotonic() > self._until:
                break
            outcomes = self.run(text=text)["outcomes"]
            tried += bool(outcomes)
            for name in good if outcomes else ():
                killed[name] += outcomes.get(name) != "passed"
        return {"killed": killed, "mutants": tried}


_ORDER = ("passed", "skipped", "xfailed", "failed")


def _pattern(title: str) -> str:
    """The expression that the names of a declared test match."""
    parts = _PLACEHOLDER.split(title.replace("\\'", "'").replace('\\"', '"'))
    return ".*".join(re.escape(part).replace("\\ ", " ").replace("\\'", "'") for part in parts)


def report_of(job: dict[str, Any], _: Answer) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    program = TOOLS[job["framework"]].program
    if shutil.which(program) is None:
        return {"unavailable": f"{program} is not installed in the sandbox"}
    return ToolDriver(job, time.monotonic() + job["seconds"]).report()


if __name__ == "__main__":
    processes.serve(report_of)
