"""How the test frameworks of JavaScript and Go are called, and what they tell.

Nothing is fetched: what the project needs besides the framework and the standard library is not there.

A run can be measured: `command` is then given the source, and `coverage` tells of each of its lines that can
be run whether it was.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BLOCK = re.compile(r"(?P<path>.+):(?P<first>\d+)\.\d+,(?P<last>\d+)\.\d+ \d+ (?P<count>\d+)")
_NO_STATEMENT = re.compile(
    r"\s*(?:$|//|(?:export\s+)?(?:default\s+)?(?:async\s+)?func(?:tion)?\b|[{})\]]+,?;?$|\}?\s*else\s*\{$"
    r"|case\b.*:$|default:$)"
)
_TELLING = (
    re.compile(r"cannot find|could not|not found|no required module|\w*Error: ", re.IGNORECASE),
    re.compile(r"error|cannot|failed", re.IGNORECASE),
)
"""In the lines that say why, from the best on."""


class NodeTool:
    """A framework that is installed as a global package of npm."""

    program = ""
    runs_whole_folders = False
    linked: tuple[str, ...] = ()
    """Packages that tests import, in the framework's folder, or that itself. Those that are not installed are
    left out."""

    def completed(self, files: dict[str, str], test_file: str) -> dict[str, str]:
        return files if "package.json" in files else {**files, "package.json": '{"name": "tested"}'}

    def prepare(self, base: str) -> None:
        """Make the packages of the framework known to the project."""
        package = os.path.realpath(str(shutil.which(self.program)))
        while os.path.basename(package) != self.program and package != "/":
            package = os.path.dirname(package)
        folder = os.path.join(base, "node_modules")
        os.mkdir(folder)
        for name in self.linked:
            inside, beside = os.path.join(package, "node_modules", name), os.path.dirname(package)
            found = inside if os.path.isdir(inside) else os.path.join(beside, name)
            if os.path.isdir(found):
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                os.symlink(found, os.path.join(folder, name))

    def environment(self, here: str) -> dict[str, str]:
        return {"CI": "1", "NODE_OPTIONS": "--experimental-vm-modules --no-warnings", "NO_COLOR": "1"}

    def outcomes(self, base: str, output: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for suite in self._suites(base):
            for test in suite.get("assertionResults", ()):
                status = str(test.get("status"))
                outcome = status if status in ("passed", "failed") else "skipped"
                name = " ".join([*test.get("ancestorTitles", ()), str(test.get("title", ""))]).strip()
                found[name] = outcome
        return found

    def reason(self, base: str, output: str) -> str:
        """Why a suite, else a test failed."""
        suites = self._suites(base)
        tests = [test for suite in suites for test in suite.get("assertionResults", ())]
        failures = [str(line) for test in tests for line in test.get("failureMessages") or ()]
        messages = [*failures, *(str(suite.get("message") or "") for suite in suites)]
        return telling_line("\n".join(filter(None, messages)) or output)

    def coverage(self, base: str, source: str) -> dict[int, bool]:
        """By Istanbul's JSON, in which V8's lines are statements, too. Empty if the run was not measured."""
        text = _read_lines(os.path.join(base, "project", source))
        lines: dict[int, bool] = {}
        for path, file in _read_object(os.path.join(base, "coverage", "coverage-final.json")).items():
            if not path.endswith("/" + source):
                continue
            for key, place in file["statementMap"].items():
                line = int(place["start"]["line"])
                if line <= len(text) and not _NO_STATEMENT.match(text[line - 1]):
                    lines[line] = lines.get(line, False) or bool(file["s"][key])
        return lines

    def _suites(self, base: str) -> list[dict[str, Any]]:
        try:
            with open(os.path.join(base, "result.json"), encoding="utf-8") as file:
                return list(json.load(file)["testResults"])
        except (OSError, ValueError, KeyError, TypeError):
            return []


class Jest(NodeTool):
    program = "jest"
    linked = ("@jest", "expect", "babel-preset-jest")

    def command(
        self, base: str, path: str, pattern: str | None, seed: int | None, source: str = ""
    ) -> list[str]:
        measured = [
            *("--coverage", "--coverageReporters=json", "--coverageThreshold={}"),
            *(f"--coverageDirectory={base}/coverage", f"--collectCoverageFrom={source}"),
        ]
        return [
            *(self.program, "--ci", "--runInBand", "--watchman=false", "--rootDir", "."),
            *(measured if source else ["--coverage=false"]),
            *("--json", "--outputFile", f"{base}/result.json", "--cacheDirectory", f"{base}/cache"),
            *([] if pattern is None else [f"--testNamePattern={pattern}"]),
            *([] if seed is None else ["--randomize", f"--seed={seed}"]),
            *("--runTestsByPath", f"./{path}"),
        ]


class Vitest(NodeTool):
    program = "vitest"
    linked = ("vitest", "@vitest/coverage-v8")

    def command(
        self, base: str, path: str, pattern: str | None, seed: int | None, source: str = ""
    ) -> list[str]:
        can_measure = os.path.isdir(os.path.join(base, "node_modules", self.linked[1]))
        measured = [
            *("--coverage.enabled", "--coverage.provider=v8", "--coverage.reporter=json"),
            *(f"--coverage.reportsDirectory={base}/coverage", f"--coverage.include={source}"),
            "--coverage.reportOnFailure",
        ]
        shuffled = ["--sequence.shuffle.tests", f"--sequence.seed={seed}"]
        return [
            *(self.program, "run", "--root", ".", "--reporter=json", f"--outputFile={base}/result.json"),
            *("--no-file-parallelism", "--globals"),
            *(measured if source and can_measure else ["--coverage.enabled=false"]),
            *([] if pattern is None else [f"--testNamePattern={pattern}"]),
            *([] if seed is None else shuffled),
            f"./{path}",
        ]


class GoTest:
    program = "go"
    runs_whole_folders = True

    def completed(self, files: dict[str, str], test_file: str) -> dict[str, str]:
        return files if "go.mod" in files else {**files, "go.mod": "module tested\n"}

    def prepare(self, base: str) -> None:
        """Nothing is needed."""

    def environment(self, here: str) -> dict[str, str]:
        """The cache is that of all runs: the standard library is compiled once."""
        return {
            "GO111MODULE": "on",
            "GOFLAGS": "-mod=mod",
            "GOPROXY": "off",
            "GOSUMDB": "off",
            "GOTOOLCHAIN": "local",
            "GOTELEMETRY": "off",
            "CGO_ENABLED": "0",
            "GOPATH": f"{here}/cache/go",
            "GOCACHE": f"{here}/cache/build",
        }

    def command(
        self, base: str, path: str, pattern: str | None, seed: int | None, source: str = ""
    ) -> list[str]:
        return [
            *(self.program, "test", "-json", "-count=1", "-vet=off", "-timeout=60s"),
            *([f"-coverprofile={base}/cover.out"] if source else []),
            *([] if seed is None else [f"-shuffle={seed}"]),
            *([] if pattern is None else ["-run", pattern.replace("(?:", "(")]),
            f"./{os.path.dirname(path)}",
        ]

    def outcomes(self, base: str, output: str) -> dict[str, str]:
        """A test with subtests is one; one that was begun and did not end has failed."""
        found: dict[str, str] = {}
        names = {"pass": "passed", "fail": "failed", "skip": "skipped"}
        for event in self._events(output):
            name, action = str(event.get("Test", "")), str(event.get("Action"))
            if name and "/" not in name and (action in names or action == "run"):
                found[name] = names.get(action, "failed")
        return found

    def reason(self, base: str, output: str) -> str:
        told = [str(event.get("Output", "")) for event in self._events(output)]
        plain = [line for line in output.splitlines() if not line.startswith("{")]
        return telling_line("\n".join([*plain, *told]))

    def coverage(self, base: str, source: str) -> dict[int, bool]:
        """By the blocks of a profile: FILE:LINE.COLUMN,LINE.COLUMN STATEMENTS COUNT. Lines without a
        statement of their own, such as braces, are left out. Empty if the run was not measured."""
        blocks = [found for line in _read_lines(f"{base}/cover.out") if (found := _BLOCK.fullmatch(line))]
        text = _read_lines(os.path.join(base, "project", source))
        lines: dict[int, bool] = {}
        for block in blocks:
            if block["path"].endswith("/" + source):
                for line in range(int(block["first"]), int(block["last"]) + 1):
                    if line <= len(text) and not _NO_STATEMENT.match(text[line - 1]):
                        lines[line] = lines.get(line, False) or block["count"] != "0"
        return lines

    def _events(self, output: str) -> list[dict[str, Any]]:
        found = []
        for line in output.splitlines():
            try:
                event = json.loads(line) if line.startswith("{") else None
            except ValueError:
                continue
            if isinstance(event, dict):
                found.append(event)
        return found


def _read_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _read_object(path: str) -> dict[str, Any]:
    """{} for a file that is not there, or is no object in JSON."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


TOOLS: dict[str, Any] = {"jest": Jest, "vitest": Vitest, "go test": GoTest}


def telling_line(text: str) -> str:
    """The first line that says why, else the last one."""
    lines = [line.strip() for line in _ESCAPES.sub("", text).splitlines() if line.strip()]
    found = (line for pattern in _TELLING for line in lines if pattern.search(line))
    return next(found, lines[-1] if lines else "")[:400]
