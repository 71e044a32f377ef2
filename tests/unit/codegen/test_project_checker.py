"""The process in which generated text is parsed: what it is given, how it ends, what its end means."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from gencode.codegen import project_checker
from gencode.codegen.errors import CheckFailed
from gencode.codegen.plan import Plan
from gencode.codegen.project_checker import CHILD_PROGRAM, ProjectChecker
from gencode.codegen.secrets_scan import OWN_SECRET
from gencode.codegen.validation.findings import Rule
from gencode.diffs import BundleLimits, Diff, FileDiff, NewFile, Status, blob_lines, diff_texts, plan_review
from gencode.limited_child import process
from gencode.limited_child.pool import LARGE, MAX_CHILDREN
from gencode.limited_child.process import ChildFailed, LimitedChild
from gencode.limited_child.protocol import ChildRequest
from tests.unit.codegen import patient_child

PLAN = Plan.model_validate({"files": [{"path": "a.c"}, {"path": "a.py", "exports": ["main"]}]})
BROKEN = {"a.py": "def f(:\n"}
EXHAUSTS_MEMORY = "a=>" * 32_000
"""Parsed as C, it makes the grammar ask for 20 GB."""


def process_id(child: LimitedChild) -> int:
    return child._process.pid


def has_ended(pid: int) -> int:
    """A descriptor that is readable once the process has ended."""
    return os.pidfd_open(pid)


@pytest.fixture
def _patient_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine, a parser gives up because of its time before the memory is exhausted."""
    monkeypatch.setattr(project_checker, "CHILD_PROGRAM", patient_child.__name__)


@pytest.mark.campaign
@pytest.mark.usefixtures("_patient_parsers")
async def test_a_file_that_exhausts_the_memory_has_a_finding_and_the_others_theirs() -> None:
    files = {"a.c": EXHAUSTS_MEMORY, **BROKEN}
    async with ProjectChecker() as checker:
        findings = await checker.check(files, PLAN)
        assert [(found.path, found.rule) for found in findings] == [
            ("a.c", Rule.SYNTAX),
            ("a.py", Rule.SYNTAX),
        ]
        assert "could not be checked" in findings[0].message
        assert await checker.signatures("a.c", EXHAUSTS_MEMORY) == ()
        assert await checker.signatures("a.py", "def f() -> int:\n    return 1\n") == ("def f() -> int",)


@pytest.mark.usefixtures("_patient_parsers")
async def test_functions_grow_the_context_of_a_change_and_a_file_that_ends_the_process_has_none() -> None:
    old = "".join(f"x{n} = {n}\n" for n in range(9)) + "def f(a):\n" + "    a += 1\n" * 20 + "    return a\n"
    new = old.replace("    return a\n", "    return -a\n")
    async with ProjectChecker() as checker:
        assert await checker.functions("a.c", EXHAUSTS_MEMORY) == ()
        functions = await checker.functions("a.py", new)
    assert functions == (range(10, 32),)
    hunks = diff_texts(old.encode(), new.encode())
    diff = Diff(files=(FileDiff(old_path="a.py", new_path="a.py", status=Status.MODIFIED, hunks=hunks),))
    new_files = {"a.py": NewFile(lines=blob_lines(new.encode()), functions=functions)}
    (bundle,) = plan_review(diff, BundleLimits(), None, new_files).bundles
    shown = bundle.text.splitlines()
    assert (shown[2].partition("| ")[2], shown[-1].partition("|")[2]) == ("def f(a):", "+    return -a")


async def test_the_plan_reaches_the_child() -> None:
    async with ProjectChecker() as checker:
        findings = await checker.check({"a.py": "x = 1\n"}, PLAN)
    assert [found.rule for found in findings] == [Rule.BROKEN_PROMISE]


async def test_a_scan_finds_own_secrets_and_those_of_others() -> None:
    token = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    files = {"a.txt": f"\n{token}\n", "b.txt": "hidden-horse-battery"}
    async with ProjectChecker() as checker:
        found = await checker.scan(files, "message", ["hidden-horse-battery"])
    assert [(one.path, one.line, one.rule) for one in found] == [
        ("b.txt", 1, OWN_SECRET),
        ("a.txt", 2, "github-token"),
    ]


@pytest.mark.fault(94)
async def test_the_child_has_no_secrets_no_descriptors_and_a_session_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_canary")
    with (tmp_path / "file").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        child = await LimitedChild.start(CHILD_PROGRAM)
        pid = process_id(child)
        proc = Path(f"/proc/{pid}")
        try:
            assert b"ghp_canary" not in (proc / "environ").read_bytes()
            assert b"ghp_canary" not in (proc / "cmdline").read_bytes()
            targets = {os.readlink(fd) for fd in (proc / "fd").iterdir()}
            assert str(tmp_path / "file") not in targets
            assert {target.partition(":")[0] for target in targets} <= {"pipe", "socket", "/dev/null"}
            assert os.getsid(pid) == pid
            limits = (proc / "limits").read_text()
            assert "Max core file size        0                    0" in limits
        finally:
            await child.stop()


async def occupy(checker: ProjectChecker, size: int, held: anyio.Event, release: anyio.Event) -> None:
    async with checker._pool.lend(size):
        held.set()
        await release.wait()


@pytest.mark.fault(93)
async def test_a_check_that_waits_for_a_child_is_made_all_the_same() -> None:
    """However long it waits: its deadline begins with the child's work."""
    release, findings = anyio.Event(), []

    async def check() -> None:
        findings.extend(await checker.check(BROKEN, PLAN))

    async with ProjectChecker() as checker, anyio.create_task_group() as group:
        for _ in range(MAX_CHILDREN):
            held = anyio.Event()
            group.start_soon(occupy, checker, 0, held, release)
            await held.wait()
        group.start_soon(check)
        await anyio.wait_all_tasks_blocked()
        assert findings == []
        release.set()
    assert [found.path for found in findings] == ["a.py"]


async def test_large_projects_leave_a_child_for_small_ones() -> None:
    release, held, waiting = anyio.Event(), anyio.Event(), anyio.Event()
    async with ProjectChecker() as checker, anyio.create_task_group() as group:
        group.start_soon(occupy, checker, LARGE + 1, held, release)
        await held.wait()
        group.start_soon(occupy, checker, LARGE + 1, waiting, release)
        assert len(await checker.check(BROKEN, PLAN)) == 1
        assert not waiting.is_set()
        release.set()


@pytest.mark.fault(93)
async def test_a_child_that_is_killed_is_replaced_once_and_the_check_repeated() -> None:
    async with ProjectChecker() as checker:
        await checker.warm_up()
        child = checker._pool._idle[0]
        os.kill(process_id(child), signal.SIGSTOP)  # it takes the request, and ends before it answers
        async with anyio.create_task_group() as group:
            found = []

            async def check() -> None:
                found.extend(await checker.check(BROKEN, PLAN))

            group.start_soon(check)
            await anyio.wait_all_tasks_blocked()
            os.kill(process_id(child), signal.SIGKILL)
        assert [finding.path for finding in found] == ["a.py"]


@pytest.mark.fault(93)
@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("exit 1", "it said nothing"),
        ("echo No module named gencode >&2; exit 1", "No module named gencode"),
        ("echo gencode child 1; exit 3", "status 3"),
        ("echo gencode child 1; echo nonsense; read x", "cannot be read"),
        ("""echo gencode child 1; echo '{"result": [{"path": 1}]}'; read x""", "malformed"),
        ("""echo gencode child 1; echo '{"step": 0}'; kill -SEGV $$""", "a parser crashed"),
    ],
)
async def test_a_check_that_fails_twice_fails_and_finds_nothing_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, reason: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{program}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    async with ProjectChecker() as checker:
        await checker.warm_up()
        with pytest.raises(CheckFailed) as failed:
            await checker.scan({}, "message")
        assert reason in failed.value.message
        assert "Retry the task" in failed.value.message
        assert await checker.signatures("a.py", "def f(): ...") == ()


async def test_a_child_that_cannot_be_started_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    async with ProjectChecker() as checker:
        with pytest.raises(CheckFailed, match="cannot be started"):
            await checker.check(BROKEN, PLAN)


async def test_a_silent_child_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    child = await LimitedChild.start(CHILD_PROGRAM)
    os.kill(process_id(child), signal.SIGSTOP)
    monkeypatch.setattr(process, "STEP_SECONDS", 0.0)
    with pytest.raises(ChildFailed, match="did not answer"):
        await child.call(ChildRequest(function="secrets", texts={"a": "b"}))
    await child.stop()


async def test_a_cancelled_check_ends_its_child() -> None:
    async with ProjectChecker() as checker:
        await checker.warm_up()
        child = checker._pool._idle[0]
        os.kill(process_id(child), signal.SIGSTOP)
        async with anyio.create_task_group() as group:
            group.start_soon(checker.check, BROKEN, PLAN)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert not child.is_alive
        assert len(await checker.check(BROKEN, PLAN)) == 1


async def test_an_idle_child_ends_and_another_takes_its_place() -> None:
    async with ProjectChecker() as checker:
        await checker.warm_up()
        child = checker._pool._idle[0]
        checker._pool._end_idle()
        assert len(await checker.check(BROKEN, PLAN)) == 1
        assert not child.is_alive
        assert checker._pool._idle[0] is not child


UNGUARDED = """
import asyncio, os, sys
from gencode.codegen.plan import Plan
from gencode.codegen.project_checker import ProjectChecker

async def main():
    async with ProjectChecker() as checker:
        plan = Plan.model_validate({"files": [{"path": "a.py"}]})
        findings = await checker.check({"a.py": "def f(:"}, plan)
        print(len(findings), checker._pool._idle[0]._process.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.fault(93)
async def test_a_program_without_a_main_guard_can_check_and_its_child_ends_with_it(tmp_path: Path) -> None:
    script = tmp_path / "host.py"
    script.write_text(UNGUARDED)
    host = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert host.stdout
    with host:
        findings, pid = map(int, host.stdout.readline().split())
        ended = has_ended(pid)
        host.kill()
    assert findings == 1
    assert select.select([ended], [], [], 60)[0]
    os.close(ended)
