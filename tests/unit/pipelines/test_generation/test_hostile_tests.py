"""Tests that cheat, break out of their process or leave something behind: each is judged, and the good test
beside it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.pipelines.test_generation.evidence import Evidence
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from gencode.sandbox.port import Sandbox
from tests.servers.sandboxes import require_bubblewrap
from tests.unit.pipelines.test_generation.test_verification import SHAPES, verified

pytestmark = pytest.mark.campaign


@pytest.fixture
async def reader() -> AsyncIterator[TestCodeReader]:
    async with ProjectChecker() as checker:
        yield TestCodeReader(checker)


@pytest.fixture
def sandbox() -> Sandbox:
    require_bubblewrap()
    return LaunchedSandbox(bubblewrap(()))


HEAD = "import os, subprocess, sys, time\nfrom shapes import area\n\n\n"
GOOD = "def test_good():\n    assert area(2, 3) == 6\n\n\n"
FORGED = '{"collected": ["test_good", "test_bad"], "killed": {"test_good": 9, "test_bad": 9}, "mutants": 9}'
ENDING = {
    "exits": ("os._exit(0)", "it ends the process"),
    "exits_with_a_result": ("open('../result', 'w').write('{}'); os._exit(0)", "it ends the process"),
    "sleeps_for_ever": ("time.sleep(100000)", "it does not end"),
    "interrupts": ("raise KeyboardInterrupt", "it ends the process"),
    "exits_pytest": ("import pytest; pytest.exit('done', returncode=0)", "it ends the process"),
}
LEAVING = {
    "leaves_by_sys_exit": ("sys.exit(0)", "it fails"),
    "writes_a_file": ("open('left.txt', 'w').write('x'); assert area(2, 3) == 6", "leaves the file left.txt"),
    "writes_beside": (
        "open('/tmp/left.txt', 'w').write('x'); assert area(2, 3) == 6",
        "leaves the file /tmp/left.txt",
    ),
    "changes_a_file": (
        "open('data.txt', 'a').write('x'); assert area(2, 3) == 6",
        "changes the file data.txt",
    ),
    "forks": ("os.fork(); assert area(2, 3) == 7", "it fails"),
    "leaves_a_process": (
        "subprocess.Popen(['sleep', '1000'], start_new_session=True); assert area(2, 3) == 6",
        "leaves a process running",
    ),
    "prints": ("print('x' * 50_000_000); assert area(2, 3) == 7", "it fails"),
    "replaces_the_judge": (
        "import _pytest.runner as r; r.call_and_report = lambda *a, **k: None; assert area(2, 3) == 6",
        "replaces _pytest.runner.call_and_report",
    ),
}


async def judged(sandbox: Sandbox, reader: TestCodeReader, text: str, **fields: object) -> Evidence:
    files = {"shapes.py": SHAPES, "data.txt": "x"}
    return await verified(sandbox, reader, files, "shapes.py", text, **fields)


@pytest.mark.parametrize("bad", [ENDING, LEAVING], ids=["ending", "leaving"])
async def test_bad_tests_are_discarded_and_the_good_one_kept(
    sandbox: Sandbox, reader: TestCodeReader, bad: dict[str, tuple[str, str]]
) -> None:
    tests = "".join(f"def test_{name}():\n    {code}\n\n\n" for name, (code, _) in bad.items())
    found = await judged(sandbox, reader, f"{HEAD}{GOOD}{tests}")
    assert set(found.faults) == {f"test_{name}" for name in bad}, found
    for name, (_, reason) in bad.items():
        assert reason in found.faults[f"test_{name}"], (name, found.faults)
    assert found.killed["test_good"] > 0


@pytest.mark.parametrize(
    "line",
    [
        f"os.write(1, {FORGED.encode()!r}); os.kill(os.getppid(), 9)",
        f"import ctypes; os.write(os.open('/proc/%d/fd/1' % os.getppid(), os.O_WRONLY), {FORGED.encode()!r})",
        "import unittest; unittest.TestCase.assertEqual = lambda *a: None",
        "import gencode_test_run as r; r.TestRun.add = lambda self, name, *a: self.messages.clear()",
    ],
)
async def test_a_file_that_forges_its_result_is_discarded(
    sandbox: Sandbox, reader: TestCodeReader, line: str
) -> None:
    found = await judged(sandbox, reader, f"{HEAD}{line}\n\n\n{GOOD}")
    assert found.unverified == ""
    assert set(found.faults) == {"test_good"}, found


async def test_a_daemon_cannot_change_what_is_told_later(sandbox: Sandbox, reader: TestCodeReader) -> None:
    """It would write over every result that it finds; no run is left when the next one begins."""
    code = (
        "if os.fork() == 0:\n        os.setsid()\n        if os.fork(): os._exit(0)\n"
        "        while True:\n            for n in os.listdir('/tmp'):\n"
        "                try: open(f'/tmp/{n}/result', 'w').write('{}')\n"
        "                except OSError: pass\n"
        "    os.wait(); assert area(2, 3) == 6"
    )
    found = await judged(sandbox, reader, f"{HEAD}{GOOD}def test_bad():\n    {code}\n")
    assert "test_bad" in found.faults
    assert found.killed["test_good"] > 0
    assert "test_good" not in found.faults


async def test_a_test_that_is_made_when_the_file_runs_counts_too(
    sandbox: Sandbox, reader: TestCodeReader
) -> None:
    for assertion, is_kept in (("area(2, 3) == 6", True), ("True", False)):
        made = f"def make():\n    def test():\n        assert {assertion}\n    return test\n\n\n"
        found = await judged(sandbox, reader, f"{HEAD}{GOOD}{made}globals()['test_made'] = make()\n")
        assert (found.faults == {}) is is_kept, found


async def test_a_source_that_cannot_be_imported_here_leaves_its_tests_unverified(
    sandbox: Sandbox, reader: TestCodeReader
) -> None:
    files = {"shapes.py": f"import not_installed_here\n\n\n{SHAPES}"}
    found = await verified(sandbox, reader, files, "shapes.py", f"{HEAD}{GOOD}")
    assert found.unverified.startswith("shapes.py cannot be imported here: ModuleNotFoundError")
    assert found.faults == {}


async def test_fixtures_of_a_class_are_run(sandbox: Sandbox, reader: TestCodeReader) -> None:
    text = """\
import unittest
from shapes import area


class GoodTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.width = 2

    def test_area(self):
        self.assertEqual(area(self.width, 3), 6)


class BrokenTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise ValueError("no")

    def test_area(self):
        self.assertEqual(area(2, 3), 6)
"""
    found = await judged(sandbox, reader, text, framework="unittest")
    assert set(found.faults) == {"BrokenTest.test_area"}
    assert "ValueError: no" in found.faults["BrokenTest.test_area"]
    assert found.killed["GoodTest.test_area"] > 0


async def test_names_of_files_are_no_options(sandbox: Sandbox, reader: TestCodeReader) -> None:
    existing = "from shapes import area\n\n\ndef test_old():\n    assert area(2, 3) == 6\n"
    names = ("tests/test_a[1].py", "-p.py/test_x.py", "tests/test_a b.py", "--help/test_x.py")
    files = {"shapes.py": SHAPES, **dict.fromkeys(names, existing)}
    found = await verified(sandbox, reader, files, "shapes.py", f"{HEAD}{GOOD}")
    assert found.faults == {}
    assert found.killed["test_good"] > 0
    assert "existing tests" in found.baseline
