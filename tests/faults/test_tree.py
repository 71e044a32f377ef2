"""Rows 77 and 78 of the fault table: file names from a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.generate_harness import generate_harness
from tests.servers.model import plan_and_files, text

HOSTILE = [
    "../../etc/cron.d/x",
    "a/../../b",
    "a\\..\\b",
    ".git/hooks/pre-commit",
    ".GIT/config",
    ".git\u200d/config",
    "git~1/config",
    "../.gitmodules",
    ".git/.gitattributes",
    "sub/../.gitmodules",
    "CON",
    "aux.py",
    "a:b",
    "x\u202egpj.exe",
    "a\0b",
    "line\nbreak.py",
    "trailing.",
    "n" * 300,
    "/".join(["d" * 200] * 6),
]
CLASHES = {
    "case": ["README.md", "readme.md"],
    "folders' case": ["src/a.py", "Src/b.py"],
    "file and folder": ["a", "a/b"],
    "ligature": ["ﬁle.py", "file.py"],
    "sharp s": ["straße.md", "STRASSE.md"],
    "a million": [f"f{n}.py" for n in range(3000)],
}


def plan_of(paths: list[str]) -> str:
    return json.dumps({"summary": "s", "files": [{"path": path} for path in paths]})


@pytest.mark.fault(77)
async def test_a_hostile_path_fails_the_task_and_nothing_is_written(tmp_path: Path) -> None:
    """Row 77."""
    async with generate_harness(tmp_path, text("")) as harness:
        for path in HOSTILE:
            harness.model.script = text(plan_of([path, "ok.py"]), size=4000)
            task = await harness.run()
            assert task.failure is not None, path
            assert (task.failure.code, task.failure.retryable) == ("UNSAFE_PATH", False)
        assert harness.calls("plan") == len(HOSTILE)
        assert (harness.calls(), harness.waits) == (0, [])
        assert not harness.github.writes


@pytest.mark.fault(77)
@pytest.mark.parametrize("path", ["/etc/passwd", "C:\\Windows\\x", "~/x"])
async def test_an_absolute_path_is_asked_again_and_nothing_is_written(tmp_path: Path, path: str) -> None:
    """Row 77."""
    async with generate_harness(tmp_path, text(plan_of([path, "ok.py"]), size=4000)) as harness:
        assert await harness.code() == "LLM_BAD_OUTPUT"
        assert (harness.calls("plan"), harness.calls(), len(harness.waits)) == (3, 0, 2)
        assert not harness.github.writes


@pytest.mark.fault(77)
async def test_a_hostile_path_at_the_end_of_a_plan_leaves_no_repository_either(tmp_path: Path) -> None:
    """Row 77: files before it may have been started while the plan was still streaming."""
    files = {f"f{n}.py": "x = 1\n" for n in range(5)}
    plan = json.loads(plan_of([*files, "../evil.py"]))
    async with generate_harness(tmp_path, plan_and_files(files, plan=plan)) as harness:
        assert await harness.code() == "UNSAFE_PATH"
        assert not harness.github.writes


@pytest.mark.fault(78)
async def test_clashing_or_too_many_names_fail_the_task_and_nothing_is_written(tmp_path: Path) -> None:
    """Row 78."""
    async with generate_harness(tmp_path, text("")) as harness:
        for name, paths in CLASHES.items():
            harness.model.script = text(plan_of(paths), size=200_000)
            assert await harness.code() == "UNSAFE_TREE", name
        assert harness.waits == []
        assert not harness.github.writes
