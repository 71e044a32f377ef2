"""The command line as users run it: separate processes, with real signals and pipes."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from gencode.client import Client
from tests.servers.calls import FILES
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import ROOT, environment, service

DOCUMENT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def environment_of(folder: Path, url: str, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder),
        "PYTHONWARNINGS": "error",
        "GENCODE_URL": url,
        **more,
    }


@asynccontextmanager
async def gencode(folder: Path, url: str, *arguments: str, **more: str) -> AsyncIterator[Process]:
    process = await anyio.open_process(
        [sys.executable, "-m", "gencode", *arguments],
        cwd=folder,
        env=environment_of(folder, url, **more),
        stdin=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


async def lines(process: Process) -> AsyncIterator[str]:
    assert process.stdout
    rest = ""
    async for text in TextReceiveStream(process.stdout):
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            yield line


async def rest_of_errors(process: Process) -> str:
    assert process.stderr
    return "".join([text async for text in TextReceiveStream(process.stderr)])


async def test_ctrl_c_leaves_the_task_running_and_prints_the_watch_command(tmp_path: Path) -> None:
    gates = {path: anyio.Event() for path in FILES}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        service(tmp_path, environment(model)) as served,
    ):
        arguments = ("generate", "say hello", "--repo", "hello", "--follow", "--url", served.url)
        async with gencode(tmp_path, "http://127.0.0.1:9", *arguments) as process:
            printed = []
            async for line in lines(process):
                printed.append(line)
                if "planned 2 files" in line:
                    process.send_signal(signal.SIGINT)
            last = await rest_of_errors(process)
            assert await process.wait() == 130, [*printed, last]
            task_id = printed[0].removeprefix("task ")
            assert f"the task goes on; come back with: gencode watch {task_id} --url {served.url}" in last
            assert "Traceback" not in last
        for gate in gates.values():
            gate.set()
        async with gencode(tmp_path, served.url, "watch", task_id, "--json") as process:
            events = [json.loads(line) async for line in lines(process)]
            assert await process.wait() == 0
        ids = [event["id"] for event in events if event["id"]]
        assert ids == list(range(1, len(ids) + 1))
        assert events[-1]["data"]["status"] == "completed"


async def test_watching_continues_after_the_service_was_killed_and_restarted(tmp_path: Path) -> None:
    gates = {path: anyio.Event() for path in FILES}
    async with (
        model_server(plan_and_files(FILES, gates=gates)) as model,
        service(tmp_path, environment(model)) as served,
        gencode(
            tmp_path, served.url, "generate", "say hello", "--repo", "hello", "--follow", "--json"
        ) as process,
    ):
        ids = []
        async for line in lines(process):
            event = json.loads(line)
            ids.append(event["id"])
            if event["event"] == "plan":
                await served.kill()
                await served.start()
                for gate in gates.values():
                    gate.set()
        assert await process.wait() == 0
        assert [id_ for id_ in ids if id_] == list(range(1, max(ids) + 1))
        assert event["data"]["status"] == "completed"


async def test_a_closed_pipe_ends_the_command_silently(tmp_path: Path) -> None:
    async with service(tmp_path, {}) as served:
        command = f"{sys.executable} -m gencode generate 'a Go service' --repo go --follow --json | head -n 1"
        done = await anyio.run_process(
            ["bash", "-c", command], cwd=tmp_path, env=environment_of(tmp_path, served.url), check=False
        )
        assert json.loads(done.stdout)["event"] == "accepted"
        assert done.stderr == b""


async def test_a_terminal_gets_the_live_display(tmp_path: Path) -> None:
    async with service(tmp_path, {}) as served:
        ours, theirs = pty.openpty()
        process = await anyio.open_process(
            [sys.executable, "-m", "gencode", "generate", "a Go web service", "--repo", "go", "--follow"],
            env=environment_of(tmp_path, served.url, TERM="xterm-256color", COLUMNS="90", LINES="40"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = await anyio.to_thread.run_sync(read_all, ours)
        assert await process.wait() == 0
        await process.aclose()
    assert "\x1b[" in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "✓ writing files" in plain
    assert "tokens" in plain
    assert "git clone" in plain


# --- approval of a plan -----------------------------------------------------------------------------

EDITOR = """#!{python}
import json, sys
plan = json.load(open(sys.argv[1]))
plan["files"] = [file for file in plan["files"] if file["path"] != "app.py"]
json.dump(plan, open(sys.argv[1], "w"))
"""


async def output_of(process: Process) -> str:
    return "\n".join([line async for line in lines(process)])


@pytest.mark.campaign
async def test_a_plan_is_shown_changed_and_approved(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(EDITOR.format(python=sys.executable))
    editor.chmod(0o755)
    async with model_server(plan_and_files(FILES)) as model, service(tmp_path, environment(model)) as served:
        arguments = ("generate", "say hello", "--repo", "hello", "--approve-plan", "--follow")
        async with gencode(tmp_path, served.url, *arguments) as watcher:
            following = lines(watcher)
            task_id = (await anext(following)).removeprefix("task ")
            async for line in following:
                if f"gencode approve {task_id}" in line:
                    break
            async with gencode(tmp_path, served.url, "approve", task_id) as process:
                assert await process.wait() == 2
                assert "add --yes" in await rest_of_errors(process)
            async with gencode(tmp_path, served.url, "approve", task_id, "--json") as process:
                plan = json.loads(await output_of(process))
                assert {file["path"] for file in plan["files"]} == set(FILES)
            command = ("approve", task_id, "--edit", "--yes")
            async with gencode(tmp_path, served.url, *command, EDITOR=str(editor)) as process:
                shown = await output_of(process)
                assert "app.py" not in shown
                assert shown.endswith("approved")
            rest = [line async for line in following]
            assert await watcher.wait() == 0
        assert any("README.md" in line for line in rest)
        assert not any("app.py" in line for line in rest)


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 0)])
async def test_a_person_at_a_terminal_is_asked(answer: str, status: int, tmp_path: Path) -> None:
    command = ["generate", "a Go web service", "--repo", "go", "--follow", "--approve-plan"]
    async with service(tmp_path, {}) as served:
        ours, theirs = pty.openpty()
        process = await anyio.open_process(
            [sys.executable, "-m", "gencode", *command],
            env=environment_of(tmp_path, served.url, TERM="xterm-256color", COLUMNS="90", LINES="40"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())  # the terminal buffers it until it is read
        shown = await anyio.to_thread.run_sync(read_all, ours)
        assert await process.wait() == status
        await process.aclose()
    assert "approve this plan?" in shown
    assert ("git clone" in shown) == (answer == "y")
    assert ("gencode approve" in shown) == (answer == "n")


@pytest.mark.campaign
async def test_ctrl_c_at_the_question_leaves_the_task_paused(tmp_path: Path) -> None:
    command = ["generate", "a Go web service", "--repo", "go", "--follow", "--approve-plan"]
    async with service(tmp_path, {}) as served:
        ours, theirs = pty.openpty()
        process = await anyio.open_process(
            [sys.executable, "-m", "gencode", *command],
            env=environment_of(tmp_path, served.url, TERM="xterm-256color"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        await anyio.to_thread.run_sync(read_until, ours, b"approve this plan?")
        assert await interrupt(process) == 130
        shown = await anyio.to_thread.run_sync(read_all, ours)
        await process.aclose()
    assert "come back with: gencode watch" in shown
    assert "Traceback" not in shown


EDITORS = [
    ("/nowhere/editor", 2, "set EDITOR"),
    ("false", 2, "is kept in"),
    ("sh -c 'echo no plan > $0'", 2, "is kept in"),
    ("""sh -c 'echo {\\"files\\": [{\\"path\\": \\"../x\\"}]} > $0'""", 3, "is kept in"),
    ("true", 0, "nothing changed"),
]


@pytest.mark.campaign
async def test_the_edited_file_is_kept_when_something_fails(tmp_path: Path) -> None:
    async with service(tmp_path, {}) as served, Client(served.url) as client:
        task_id = (await client.submit("a Go web service", "go", approve_plan=True))["task_id"]
        async for event in client.events(task_id):
            if event.kind == "approval":
                break
        for editor, status, words in EDITORS:
            command = ("approve", task_id, "--edit", "--json")
            async with gencode(tmp_path, served.url, *command, EDITOR=editor) as process:
                assert await process.wait() == status
                error = await rest_of_errors(process)
            assert words in error
            kept = re.search(r"kept in (/[^\s\"]+)", error)
            assert bool(kept) == ("kept" in words)
            assert kept is None or Path(kept[1]).is_file()


async def interrupt(process: Process) -> int:
    """Send Ctrl-C until the process ends: between writing a question and waiting for the answer Python
    ignores it."""
    while process.returncode is None:
        process.send_signal(signal.SIGINT)
        with anyio.move_on_after(10):
            await process.wait()
    return process.returncode


def read_until(terminal: int, words: bytes) -> None:
    found = b""
    while words not in found:
        found += os.read(terminal, 65536)


def read_all(terminal: int) -> str:
    """Until the other end is closed: Linux then raises an I/O error."""
    found = b""
    try:
        while part := os.read(terminal, 65536):
            found += part
    except OSError:
        pass
    os.close(terminal)
    return found.decode(errors="replace")


@pytest.mark.parametrize("program", PROGRAMS, ids=["asynchronous", "synchronous"])
async def test_the_programs_in_the_documentation_run(program: str, tmp_path: Path) -> None:
    async with service(tmp_path, {}) as served:
        done = await anyio.run_process(
            [sys.executable, "-c", program.replace("http://127.0.0.1:8080", served.url)],
            cwd=tmp_path,
            env=environment_of(tmp_path, served.url),
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    assert b"status" in done.stdout
    assert (tmp_path / "notes.zip").exists() == ("SyncClient" in program)
