"""Tests of JavaScript, TypeScript and Go earn their place, where their tools are installed."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping

import pytest

from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.pipelines.test_generation.artifacts import Given, TargetFunction, TargetGroup
from gencode.pipelines.test_generation.evidence import Evidence
from gencode.pipelines.test_generation.frameworks import language_of, test_path
from gencode.pipelines.test_generation.results import LineCoverage
from gencode.pipelines.test_generation.verification.sandbox_verifier import SandboxVerifier
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from gencode.sandbox.port import Sandbox
from tests.servers.sandboxes import require_bubblewrap, unisolated

pytestmark = pytest.mark.campaign
JEST = {
    "shapes.js": "function area(w, h) {\n  return w * h;\n}\nmodule.exports = { area };\n",
    "package.json": '{"name": "shapes"}',
}
VITEST = {
    "src/shapes.ts": "export function area(w: number, h: number): number {\n  return w * h;\n}\n",
    "package.json": '{"name": "shapes", "type": "module", "devDependencies": {"vitest": "*"}}',
}
GO = {"shapes/shapes.go": "package shapes\n\nfunc Area(w, h int) int {\n\treturn w * h\n}\n"}
JS_TESTS = """\
describe("area", () => {
  test("good", () => { globalThis.n = (globalThis.n || 0) + 1; expect(area(2, 3)).toBe(6); });
  test("failing", () => { expect(area(2, 3)).toBe(7); });
  test("useless", () => { expect(area).toBeDefined(); });
  test("source", () => { expect(area.toString()).not.toContain("0 > 1"); expect(area(2, 3)).toBe(6); });
  test.skip("skipped", () => { expect(area(2, 3)).toBe(6); });
});
test("dependent", () => { expect(globalThis.n).toBe(1); expect(area(2, 3)).toBe(6); });
"""
GO_TESTS = """\
package shapes

import "testing"

var n int

func TestGood(t *testing.T) {
	n++
	if Area(2, 3) != 6 {
		t.Fatal("wrong")
	}
}

func TestFailing(t *testing.T) {
	if Area(2, 3) != 7 {
		t.Fatal("wrong")
	}
}

func TestUseless(t *testing.T) { Area(2, 3) }

func TestSkipped(t *testing.T) { t.Skip("later") }

func TestDependent(t *testing.T) {
	if n != 1 || Area(2, 3) != 6 {
		t.Fatal("wrong")
	}
}

func TestPanics(t *testing.T) { panic("no") }
"""


@pytest.fixture
async def reader() -> AsyncIterator[TestCodeReader]:
    async with ProjectChecker() as checker:
        yield TestCodeReader(checker)


def require(*programs: str) -> Sandbox:
    require_bubblewrap()
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    return LaunchedSandbox(bubblewrap(()))


async def verified(
    sandbox: Sandbox, reader: TestCodeReader, files: Mapping[str, str], framework: str, text: str
) -> Evidence:
    source = next(iter(files))
    language = language_of(source)
    assert language is not None
    functions = await reader.functions(source, files[source])
    group = TargetGroup.model_validate(
        {
            "source": source,
            "language": language,
            "framework": framework,
            "test_path": test_path(source, files, (), language),
            "module": source,
            "functions": [TargetFunction(name=one.name, first=one.first, last=one.last) for one in functions],
            "before": files[source].replace("w * h", "w + h"),
        }
    )
    tests = await reader.tests(group.test_path, text)
    return await SandboxVerifier(sandbox, reader)(Given(files=files), group, text, tests)


REASONS = {
    "area failing": "it fails, so the test or the code is wrong: ",
    "area useless": "would notice none",
    "area source": "written in another way",
    "area skipped": "it is skipped",
    "dependent": "only after other tests",
}


@pytest.mark.parametrize("framework", ["jest", "vitest"])
async def test_only_useful_tests_of_javascript_are_kept(reader: TestCodeReader, framework: str) -> None:
    sandbox = require(framework)
    jest = 'const { area } = require("./shapes.js");\n'
    vitest = 'import { describe, expect, test } from "vitest";\nimport { area } from "./shapes";\n'
    files, head = (JEST, jest) if framework == "jest" else (VITEST, vitest)
    found = await verified(sandbox, reader, files, framework, head + JS_TESTS)
    assert found.unverified == ""
    assert set(found.faults) == set(REASONS), found
    for name, reason in REASONS.items():
        assert reason in found.faults[name], (name, found.faults[name])
    assert "toBe" in found.faults["area failing"] or "expected 6 to be 7" in found.faults["area failing"]
    assert found.killed["area good"] == found.mutants == 2
    assert found.fails_before["area good"]
    if framework == "jest":  # vitest needs a package more
        assert found.coverage(["area good"]) == LineCoverage(lines=1, before=None, after=1)
        assert found.coverage([]) == LineCoverage(lines=1, before=None, after=0)


async def test_only_useful_tests_of_go_are_kept(reader: TestCodeReader) -> None:
    found = await verified(require("go"), reader, GO, "go test", GO_TESTS)
    assert found.unverified == ""
    assert set(found.faults) == {
        f"Test{name}" for name in ("Failing", "Useless", "Skipped", "Dependent", "Panics")
    }
    assert found.killed["TestGood"] == found.mutants == 1
    assert found.fails_before["TestGood"]
    assert found.coverage(["TestGood"]) == LineCoverage(lines=1, before=None, after=1)


@pytest.mark.parametrize(
    ("framework", "files", "text", "said"),
    [
        (
            "jest",
            {**JEST, "shapes.js": f"const lodash = require('lodash');\n{JEST['shapes.js']}"},
            'const { area } = require("./shapes.js");\ntest("a", () => { expect(area(2, 3)).toBe(6); });\n',
            "Cannot find module 'lodash'",
        ),
        (
            "go test",
            {"a/a.go": 'package a\n\nimport "example.com/x"\n\nfunc Area() int { return x.One }\n'},
            'package a\n\nimport "testing"\n\nfunc TestA(t *testing.T) { Area() }\n',
            "example.com/x",
        ),
    ],
)
async def test_what_needs_a_package_that_is_not_there_is_unverified(
    reader: TestCodeReader, framework: str, files: Mapping[str, str], text: str, said: str
) -> None:
    found = await verified(require(framework.partition(" ")[0]), reader, files, framework, text)
    assert "cannot be loaded here" in found.unverified
    assert said in found.unverified
    assert found.faults == {}


async def test_a_test_that_needs_a_package_that_is_not_there_is_at_fault(reader: TestCodeReader) -> None:
    text = 'const { area } = require("./shapes.js");\nrequire("lodash");\ntest("a", () => { area(); });\n'
    found = await verified(require("jest"), reader, JEST, "jest", text)
    assert "Cannot find module 'lodash'" in found.faults["a"]


@pytest.mark.parametrize(
    ("framework", "program"), [("jest", "jest"), ("vitest", "vitest"), ("go test", "go")]
)
async def test_without_its_tool_nothing_is_verified(
    reader: TestCodeReader, framework: str, program: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("work")
    empty = unisolated(folder, ("env", "PATH=/nonexistent"))
    files = GO if program == "go" else JEST
    found = await verified(
        Pathless(empty), reader, files, framework, GO_TESTS if program == "go" else JS_TESTS
    )
    assert found.unverified == f"{program} is not installed in the sandbox"
    assert found.faults == {}


class Pathless(LaunchedSandbox):
    """A sandbox in which no program is found but Python."""

    def __init__(self, sandbox: LaunchedSandbox) -> None:
        self._sandbox = sandbox

    @property
    def python(self) -> str:
        return self._sandbox.python

    async def run(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
        return await self._sandbox.run(*arguments, environment={"PATH": "/nonexistent"}, **options)  # type: ignore[arg-type]
