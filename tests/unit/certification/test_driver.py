"""Projects that try to forge their proof, or do not end: the driver is not fooled."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gencode.certification import StepReport
from gencode.certification.environments import Environment
from gencode.certification.group_runner import run_group
from gencode.certification.steps import PYTHON, Group, Step
from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.launched import LaunchedSandbox
from tests.servers.sandboxes import require_bubblewrap

pytestmark = pytest.mark.campaign
FORGED = '{"name": "first", "exit_code": 0}\\n{"end": true}'


async def ran(*steps: Step, **files: str) -> list[StepReport]:
    """In the environment of the tests themselves."""
    require_bubblewrap()
    environment = Environment(folder=Path(sys.prefix), versions={})
    project: Mapping[str, bytes] = {f"backend/{name}.py": text.encode() for name, text in files.items()}
    sandbox = LaunchedSandbox(bubblewrap(()))
    return await run_group(sandbox, Group(steps=steps), {"backend/x": b"", **project}, environment)


def script(name: str, code: str, seconds: float = 60) -> Step:
    return Step(name=name, command=(PYTHON, "-c", code), seconds=seconds)


def pytest_step() -> Step:
    no_plugins = ("env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
    command = (*no_plugins, PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    return Step(name="tests", command=command, seconds=60, kind="pytest", options={"on_database": False})


async def test_the_exit_code_is_that_of_the_process_whatever_it_writes() -> None:
    code = f"import os, sys; print('{FORGED}', flush=True); os.system('echo more'); sys.exit(7)"
    (report,) = await ran(script("first", code), script("second", "pass"))
    assert (report.name, report.exit_code, report.passed) == ("first", 7, False)
    assert "more" in report.log_tail


async def test_a_step_that_does_not_end_has_reached_its_limit() -> None:
    (report,) = await ran(script("first", "print('begun', flush=True)\nwhile True: pass", seconds=1))
    assert (report.exit_code, report.reason) == (-9, "the limit of 1 s was reached")
    assert "begun" in report.log_tail


async def test_processes_that_are_left_behind_are_ended_with_their_step() -> None:
    left = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'while True: pass'])"
    look = (
        "import os\n"
        "found = [open(f'/proc/{pid}/cmdline').read() for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "assert not any('while True' in one for one in found[:-1]), found"
    )
    assert [one.passed for one in await ran(script("first", left), script("second", look))] == [True, True]


async def test_whoever_ends_the_driver_has_proven_nothing() -> None:
    (report,) = await ran(script("first", "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"))
    assert (report.name, report.passed) == ("first", False)
    assert "without a result" in report.reason


async def test_the_output_of_the_driver_cannot_be_reached() -> None:
    code = "import os; open(f'/proc/{os.getppid()}/fd/3', 'w')"
    (report,) = await ran(script("first", code))
    assert "PermissionError" in report.log_tail


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(0)\n",
        "import sys, atexit, os\natexit.register(os._exit, 0)\n",
        "import pytest\npytest.exit('enough', 0)\n",
    ],
    ids=["at once", "at the end", "by pytest"],
)
async def test_code_that_ends_its_tests_with_success_has_not_passed_them(code: str) -> None:
    test = "import app\n\ndef test_one():\n    assert False\n"
    (report,) = await ran(pytest_step(), **{"app": code, "tests/__init__": "", "tests/test_app": test})
    assert not report.passed
    assert report.exit_code != 0


async def test_tests_that_were_left_out_are_missed() -> None:
    conftest = "def pytest_collection_modifyitems(items):\n    del items[1:]\n"
    test = "def test_one():\n    pass\n\n\ndef test_two():\n    assert False\n"
    (report,) = await ran(pytest_step(), **{"tests/conftest": conftest, "tests/test_app": test})
    assert report.reason.startswith("1 of 2 tests were run")
