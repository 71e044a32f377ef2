"""Lines that a framework tells to have run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gencode.pipelines.test_generation.verification.programs.gencode_tool_runs import TOOLS

GO = """\
package shapes

// Area has no negative sides.
func Area(w, h int) int {
	if w < 0 {
		return 0
	}
	return w * h
}
"""
PROFILE = """\
mode: set
tested/shapes/shapes.go:4.25,5.11 1 1
tested/shapes/shapes.go:8.2,8.14 1 1
tested/shapes/shapes.go:5.11,7.3 1 0
tested/shapes/other.go:1.1,9.9 1 1
"""
JS = "export function area(w, h) {\n  if (w < 0) {\n    return 0;\n  }\n  return w * h;\n}\n"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "project/shapes").mkdir(parents=True)
    (tmp_path / "project/shapes/shapes.go").write_text(GO)
    (tmp_path / "project/shapes.js").write_text(JS)
    return tmp_path


def test_blocks_of_a_profile_are_lines_with_a_statement(base: Path) -> None:
    (base / "cover.out").write_text(PROFILE)
    assert TOOLS["go test"]().coverage(str(base), "shapes/shapes.go") == {5: True, 6: False, 8: True}


@pytest.mark.parametrize("framework", ["jest", "vitest"])
def test_braces_and_heads_of_functions_are_no_lines(base: Path, framework: str) -> None:
    ran = {1: 1, 2: 1, 3: 0, 4: 0, 5: 1, 6: 1}
    places = {str(line): {"start": {"line": line}, "end": {"line": line}} for line in ran}
    file = {"statementMap": places, "s": {str(line): count for line, count in ran.items()}}
    (base / "coverage").mkdir()
    told = {f"{base}/project/shapes.js": file, f"{base}/project/other.js": file}
    (base / "coverage/coverage-final.json").write_text(json.dumps(told))
    assert TOOLS[framework]().coverage(str(base), "shapes.js") == {2: True, 3: False, 5: True}


@pytest.mark.parametrize("framework", sorted(TOOLS))
def test_a_run_that_was_not_measured_tells_no_lines(base: Path, framework: str) -> None:
    assert TOOLS[framework]().coverage(str(base), "shapes.js") == {}
