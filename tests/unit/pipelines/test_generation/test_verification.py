"""Only tests that earn their place are kept: scripted answers of every kind, on programs of QuixBugs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.pipelines.test_generation.artifacts import Given, TargetFunction, TargetGroup
from gencode.pipelines.test_generation.evidence import Evidence
from gencode.pipelines.test_generation.verification.sandbox_verifier import SandboxVerifier
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from gencode.sandbox.off import SandboxOff
from gencode.sandbox.port import Sandbox
from tests.servers import quixbugs
from tests.servers.quixbugs import GOOD, USELESS, Program, programs
from tests.servers.sandboxes import require_bubblewrap

pytestmark = pytest.mark.campaign
SLICE = ("gcd", "pascal", "to_base")
"""`python -m tests.campaigns.generated_tests` runs all."""
SHAPES = "def area(w, h):\n    if w < 0:\n        raise ValueError(w)\n    return w * h\n"


@pytest.fixture
async def reader() -> AsyncIterator[TestCodeReader]:
    async with ProjectChecker() as checker:
        yield TestCodeReader(checker)


@pytest.fixture
def sandbox() -> Sandbox:
    require_bubblewrap()
    return LaunchedSandbox(bubblewrap(()))


async def verified(
    sandbox: Sandbox,
    reader: TestCodeReader,
    files: Mapping[str, str],
    source: str,
    text: str,
    **fields: object,
) -> Evidence:
    functions = await reader.functions(source, files[source])
    group = TargetGroup.model_validate(
        {
            "source": source,
            "language": "python",
            "framework": "pytest",
            "test_path": f"tests/test_{source}",
            "module": source.removesuffix(".py"),
            "functions": [TargetFunction(name=one.name, first=one.first, last=one.last) for one in functions],
            **fields,
        }
    )
    tests = await reader.tests(group.test_path, text)
    return await SandboxVerifier(sandbox, reader)(Given(files=files), group, text, tests)


@pytest.mark.parametrize("program", [programs()[name] for name in SLICE], ids=lambda one: one.name)
async def test_only_what_fails_on_the_faulty_twin_is_kept(
    sandbox: Sandbox, reader: TestCodeReader, program: Program
) -> None:
    found, _ = await quixbugs.verified(sandbox, reader, program)
    assert found.unverified == ""
    assert set(found.faults) == set(USELESS)
    for name, reason in USELESS.items():
        assert reason in found.faults[name], (name, found.faults[name])
    assert {name for name, fails in found.fails_before.items() if fails} == GOOD
    assert all(found.killed[name] > 0 for name in GOOD)
    coverage = found.coverage(sorted(GOOD))
    assert coverage is not None
    assert coverage.before == 0 < coverage.after <= coverage.lines


async def test_unittest_needs_no_pytest(sandbox: Sandbox, reader: TestCodeReader) -> None:
    text = """\
import unittest
from shapes import area


class AreaTest(unittest.TestCase):
    def test_good(self):
        self.assertEqual(area(2, 3), 6)

    def test_error(self):
        with self.assertRaises(ValueError):
            area(-1, 3)

    def test_failing(self):
        self.assertEqual(area(2, 3), 7)

    def test_useless(self):
        self.assertTrue(callable(area))

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.assertEqual(area(2, 3), 7)
"""
    found = await verified(sandbox, reader, {"shapes.py": SHAPES}, "shapes.py", text, framework="unittest")
    assert {name.partition(".")[2] for name in found.faults} == {
        "test_failing",
        "test_useless",
        "test_expected_failure",
    }
    assert found.killed["AreaTest.test_good"] > 0


async def test_existing_tests_are_run_first(sandbox: Sandbox, reader: TestCodeReader) -> None:
    existing = "from shapes import area\n\n\ndef test_a():\n    assert area(2, 3) == {}\n"
    text = "from shapes import area\n\n\ndef test_good():\n    assert area(2, 3) == 6\n"
    for expected, said in ((6, "1 existing tests pass"), (7, "1 of 1 existing tests fail: test_a")):
        files = {"shapes.py": SHAPES, "tests/test_old.py": existing.format(expected)}
        found = await verified(sandbox, reader, files, "shapes.py", text)
        assert (found.baseline, found.faults) == (said, {})
    files = {"shapes.py": SHAPES, "tests/test_old.py": "import nothing_like_it\n"}
    found = await verified(sandbox, reader, files, "shapes.py", text)
    assert "cannot be run" in found.baseline
    assert found.faults == {}


async def test_coverage_is_what_existing_tests_leave(sandbox: Sandbox, reader: TestCodeReader) -> None:
    existing = "from shapes import area\n\n\ndef test_a():\n    assert area(2, 3) == 6\n"
    text = (
        "import pytest\nfrom shapes import area\n\n\ndef test_again():\n    assert area(2, 3) == 6\n\n\n"
        "def test_error():\n    with pytest.raises(ValueError):\n        area(-1, 3)\n"
    )
    files = {"shapes.py": SHAPES, "tests/test_old.py": existing}
    found = await verified(sandbox, reader, files, "shapes.py", text)
    coverage = found.coverage(["test_again", "test_error"])
    assert coverage is not None
    assert (coverage.lines, coverage.before, coverage.after) == (3, 2, 3)
    assert not found.lines["test_again"] - found.baseline_lines
    assert found.lines["test_error"] - found.baseline_lines


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_module\n\n\ndef test_a():\n    pass\n", "No module named 'no_such_module'"),
        (
            "def helper():\n    pass\n\n\nclass Shape:\n    def test_a(self):\n        pass\n",
            "no test has run",
        ),
        ("import os\n\n\ndef test_a():\n    os._exit(0)\n", "it ends the process"),
        ("def test_a():\n    while True:\n        pass\n", "too much processor time"),
    ],
)
async def test_a_file_that_does_not_run_is_discarded(
    sandbox: Sandbox, reader: TestCodeReader, text: str, reason: str
) -> None:
    found = await verified(sandbox, reader, {"shapes.py": SHAPES}, "shapes.py", text)
    assert found.unverified == ""
    assert all(reason in fault for fault in found.faults.values())
    assert found.faults


async def test_a_run_that_exceeds_a_limit_is_discarded(sandbox: Sandbox, reader: TestCodeReader) -> None:
    text = "import os\n\n\ndef test_a():\n    while True:\n        os.fork()\n"
    found = await verified(sandbox, reader, {"shapes.py": SHAPES}, "shapes.py", text)
    assert set(found.faults) == {"test_a"}


async def test_with_the_sandbox_off_tests_are_unverified(reader: TestCodeReader) -> None:
    found = await verified(SandboxOff(), reader, {"shapes.py": SHAPES}, "shapes.py", "def test_a(): pass\n")
    assert (found.unverified, found.faults) == ("the sandbox is off", {})
