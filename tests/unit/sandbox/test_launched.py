"""The exchange with the supervisor, over a launcher that isolates nothing: the programs are of the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest

from gencode.domain.errors import UnsafePath
from gencode.sandbox.configured import configured_sandbox
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.isolation_check import isolation_faults
from gencode.sandbox.port import KilledBy, Limits, Outcome
from tests.servers.sandboxes import unisolated

LIMITS = Limits(seconds=60, output_bytes=1000, collected_bytes=1000, disk_bytes=10_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


async def shell(folder: Path, script: str, collect: tuple[str, ...] = (), limits: Limits = LIMITS) -> Outcome:
    return await unisolated(folder).run(("sh", "-c", script), {}, limits, collect=collect)


async def test_a_program_reads_its_files_and_leaves_others(folder: Path) -> None:
    outcome = await unisolated(folder).run(
        ("sh", "-c", "cat a/b.txt; echo $EXTRA >&2; echo done > c.txt; exit 3"),
        {"a/b.txt": b"text\n"},
        LIMITS,
        environment={"EXTRA": "more"},
        collect=("c.txt", "a/b.txt", "none.txt"),
    )
    assert (outcome.exit_code, outcome.killed_by, outcome.text) == (3, KilledBy.NOTHING, "text\nmore\n")
    assert outcome.files == {"c.txt": b"done\n", "a/b.txt": b"text\n"}


async def test_the_environment_of_the_service_is_not_passed_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-canary")
    outcome = await shell(folder, "env")
    assert "canary" not in outcome.text
    names = {line.partition("=")[0] for line in outcome.text.splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "LC_ALL", "USER", "LOGNAME", "PWD", "OLDPWD", "SHLVL", "_"}


async def test_output_beyond_the_limit_ends_the_program_and_is_cut(folder: Path) -> None:
    outcome = await shell(folder, "while :; do echo line; done")
    assert (outcome.killed_by, len(outcome.output)) == (KilledBy.OUTPUT, 1000)


async def test_output_that_is_written_at_the_end_counts_too(folder: Path) -> None:
    outcome = await shell(folder, "head -c 1000 /dev/zero")
    assert (outcome.killed_by, len(outcome.output)) == (KilledBy.NOTHING, 1000)
    outcome = await shell(folder, "head -c 1001 /dev/zero")
    assert (outcome.killed_by, len(outcome.output)) == (KilledBy.OUTPUT, 1000)


async def test_a_program_that_does_not_end_is_ended(folder: Path) -> None:
    outcome = await shell(folder, "sleep 1000 & sleep 1000", limits=Limits(seconds=0.3))
    assert (outcome.killed_by, outcome.exit_code) == (KilledBy.TIME, -9)


@pytest.mark.campaign
async def test_a_program_that_needs_too_much_processor_time_is_ended(folder: Path) -> None:
    outcome = await shell(folder, "while :; do :; done", limits=Limits(seconds=600, cpu_seconds=1))
    assert outcome.killed_by is KilledBy.PROCESSOR_TIME


async def test_processes_that_are_left_behind_are_ended(folder: Path) -> None:
    """They hold the pipe of the output open."""
    outcome = await shell(folder, "sleep 1000 & echo $!")
    assert outcome.exit_code == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(outcome.text), 0)


async def test_a_program_that_is_not_there_has_the_status_of_the_shell(folder: Path) -> None:
    outcome = await unisolated(folder).run(("no-such-program",), {}, LIMITS)
    assert (outcome.exit_code, outcome.text) == (127, "no-such-program: No such file or directory\n")


@pytest.mark.parametrize(
    "script",
    [
        "ln -s /etc/passwd result",
        "mkdir folder; echo text > folder/x; ln -s folder/x result",
        "mkfifo result",
        "mkdir result",
        "head -c 1001 /dev/zero > result",
        "ln -s result result",
        "echo text > other; ln other result",
        "ln -s /dev/zero result",
    ],
)
async def test_only_regular_files_within_the_limit_are_collected(folder: Path, script: str) -> None:
    outcome = await shell(folder, script, ("result",))
    assert (outcome.exit_code, outcome.killed_by, outcome.files) == (0, KilledBy.NOTHING, {})


async def test_folders_that_are_links_are_not_followed(folder: Path) -> None:
    outcome = await shell(folder, "mkdir real; echo text > real/file; ln -s real link", ("link/file",))
    assert (outcome.exit_code, outcome.files) == (0, {})


async def test_the_limit_is_for_all_collected_files(folder: Path) -> None:
    outcome = await shell(
        folder, "for i in a b c; do head -c 400 /dev/zero > $i; done", ("a", "missing", "b", "c")
    )
    assert {name: len(data) for name, data in outcome.files.items()} == {"a": 400, "b": 400}


@pytest.mark.parametrize("path", ["../a", "/etc/x", "a/../../b", ".git/config", ""])
async def test_paths_outside_of_the_folder_are_refused(folder: Path, path: str) -> None:
    with pytest.raises(UnsafePath):
        await unisolated(folder).run(("true",), {path: b""}, LIMITS)
    with pytest.raises(UnsafePath):
        await unisolated(folder).run(("true",), {}, LIMITS, collect=(path,))


async def test_files_without_room_are_an_error(folder: Path) -> None:
    with pytest.raises(SandboxFailed, match="room for 5000"):
        await unisolated(folder).run(("true",), {"a": b"x" * 5001}, LIMITS)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no such image >&2; exit 125", "no such image"),
        ("exit 1", "it said nothing"),
        ("head -c 100000 /dev/zero", "cannot be started"),
    ],
)
async def test_a_launcher_that_fails_says_why(folder: Path, script: str, message: str) -> None:
    with pytest.raises(SandboxFailed, match=message):
        await unisolated(folder, ("sh", "-c", script)).run(("true",), {}, LIMITS)


async def test_a_launcher_that_is_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(SandboxFailed, match="No such file"):
        await unisolated(folder, ("no-such-launcher",)).run(("true",), {}, LIMITS)


READY = r"printf 'noise\ngencode sandbox 1\n'; "
GOOD = '{"exit_code": 0, "killed_by": "", "seconds": 1.0, "output": 0, "files": []}'


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON",
        "{}",
        GOOD.replace("0,", "true,", 1),
        GOOD.replace('""', '"magic"'),
        GOOD.replace('"output": 0', '"output": 1001'),
        GOOD.replace('"output": 0', '"output": -1'),
        GOOD.replace("[]", '[["/etc/passwd", 1]]'),
        GOOD.replace("[]", '[["c.txt", 1001]]'),
        GOOD.replace("[]", '[["c.txt", 1], ["c.txt", 1]]'),
        GOOD.replace("1.0", "NaN"),
    ],
)
async def test_an_answer_that_no_supervisor_gives_is_an_error(folder: Path, answer: str) -> None:
    launcher = unisolated(folder, ("sh", "-c", f"{READY} echo '{answer}'"))
    with pytest.raises(SandboxFailed, match="cannot be read"):
        await launcher.run(("true",), {}, LIMITS, collect=("c.txt",))


@pytest.mark.parametrize("answer", ["", GOOD.replace('"output": 0', '"output": 9')])
async def test_a_sandbox_that_ends_without_a_result_was_ended_by_the_system(
    folder: Path, answer: str
) -> None:
    launcher = unisolated(folder, ("sh", "-c", f"{READY} echo '{answer}'" if answer else READY))
    outcome = await launcher.run(("true",), {}, LIMITS)
    assert (outcome.killed_by, outcome.exit_code) == (KilledBy.SYSTEM, -9)


async def test_a_cancelled_run_ends_its_processes(folder: Path) -> None:
    pid = folder / "pid"
    async with anyio.create_task_group() as group:
        group.start_soon(shell, folder, f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 1000")
        while not pid.exists():
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_the_check_sees_what_does_not_isolate(folder: Path) -> None:
    faults = await isolation_faults(unisolated(folder), folder)
    assert {
        "reads files of the service",
        "sees the environment of its launcher",
        "reaches the network of this machine",
        "writes outside of its folder",
        "is not supervised by process 1",
    } <= set(faults)


async def test_a_sandbox_that_is_off_runs_nothing() -> None:
    sandbox = configured_sandbox("off", ())
    assert sandbox.off_reason
    with pytest.raises(SandboxFailed, match="is off"):
        await sandbox.run(("true",), {}, LIMITS)


@pytest.mark.parametrize("setting", ["container:", "container:  ", "container:docker 'run"])
def test_a_container_needs_a_command(setting: str) -> None:
    with pytest.raises(SandboxFailed, match="container"):
        configured_sandbox(setting, ())


def test_bubblewrap_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxFailed, match="apt install bubblewrap"):
        configured_sandbox("bubblewrap", ())


def test_the_supervisor_needs_the_standard_library_only() -> None:
    text = Path(sys.modules["gencode.sandbox.supervisor"].__file__ or "").read_text(encoding="utf-8")
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names
