"""What hostile programs try in bubblewrap. `test_what_is_allowed_works` is the control of all of them."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from gencode.sandbox.configured import checked_sandbox, configured_sandbox
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.launched import LaunchedSandbox
from gencode.sandbox.port import MIB, KilledBy, Limits, Outcome, Sandbox, Shown
from tests.servers.sandboxes import require_bubblewrap, unisolated

pytestmark = pytest.mark.campaign
LIMITS = Limits(seconds=60, processes=24)
SECRET = "canary-7d1f"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "gencode.db").write_text(SECRET)
    return tmp_path


@pytest.fixture
def sandbox(data_dir: Path) -> Sandbox:
    require_bubblewrap()
    return configured_sandbox("bubblewrap", (data_dir,))


async def python(sandbox: Sandbox, code: str, *arguments: str, limits: Limits = LIMITS) -> Outcome:
    return await sandbox.run((sandbox.python, "-c", code, *arguments), {}, limits)


async def test_the_check_finds_no_fault(data_dir: Path) -> None:
    require_bubblewrap()
    assert isinstance(await checked_sandbox("bubblewrap", data_dir), LaunchedSandbox)
    assert sorted(path.name for path in data_dir.iterdir()) == ["gencode.db"]


async def test_what_is_allowed_works(sandbox: Sandbox) -> None:
    """Without this, the other tests would also succeed in a sandbox in which nothing runs."""
    code = (
        "import pytest, multiprocessing.synchronize, tempfile, socket\n"
        "open('a', 'w').write('x'); tempfile.NamedTemporaryFile(); multiprocessing.Lock()\n"
        "server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname())\n"
        "print('all works')"
    )
    outcome = await python(sandbox, code)
    assert (outcome.exit_code, outcome.text) == (0, "all works\n")


READ = "import sys\ntry: print(open(sys.argv[1]).read())\nexcept OSError as e: print(type(e).__name__)"


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/passwd", "/root/.ssh/id_rsa", "/proc/kcore"])
async def test_files_of_the_machine_cannot_be_read(sandbox: Sandbox, path: str) -> None:
    outcome = await python(sandbox, READ, path)
    assert outcome.text.strip() in ("FileNotFoundError", "PermissionError")


async def test_the_data_dir_cannot_be_read(sandbox: Sandbox, data_dir: Path) -> None:
    path = str(data_dir / "gencode.db")
    assert Path(path).read_text() == SECRET
    for seen in (path, f"/proc/1/root{path}", f"/proc/self/root{path}", f"/proc/1/cwd/../..{path}"):
        outcome = await python(sandbox, READ, seen)
        assert outcome.text.strip() in ("FileNotFoundError", "PermissionError"), seen


async def test_a_data_dir_inside_of_the_interpreters_folder_is_hidden() -> None:
    require_bubblewrap()
    shown = Path(sys.prefix) / "share"
    shown.mkdir(exist_ok=True)
    sandbox = configured_sandbox("bubblewrap", (shown,))
    seen = await python(sandbox, "import os, sys; print(os.listdir(sys.argv[1]))", str(shown.resolve()))
    assert seen.text == "[]\n"


@pytest.mark.parametrize("is_hidden", [False, True])
async def test_an_environment_behind_a_link_is_shown_and_hidden_like_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_hidden: bool
) -> None:
    """.venv is a link, and its interpreter is one to another folder that is reached through a link."""
    require_bubblewrap()
    (tmp_path / "base").symlink_to(sys.base_prefix)
    real = tmp_path / "real"
    (real / "bin").mkdir(parents=True)
    (real / "pyvenv.cfg").write_text(f"home = {tmp_path}/base/bin\n")
    (real / "bin/python").symlink_to(tmp_path / "base/bin" / Path(sys.executable).resolve().name)
    (real / "data").mkdir()
    (real / "data/gencode.db").write_text(SECRET)
    (tmp_path / ".venv").symlink_to("real")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    sandbox = configured_sandbox("bubblewrap", (real / "data",) if is_hidden else ())
    code = "import os, sys, json\nprint(json.dumps([sys.prefix, *map(os.listdir, sys.argv[1:])]))"
    folders = (f"{tmp_path}/.venv/data", f"{real}/data")
    outcome = await python(sandbox, code, *folders)
    content: list[str] = [] if is_hidden else ["gencode.db"]
    assert json.loads(outcome.text) == [str(tmp_path / ".venv"), content, content]


async def test_the_environment_of_the_service_is_not_seen(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", SECRET)
    code = (
        "import glob, os\nprint(dict(os.environ))\n"
        "for path in glob.glob('/proc/*/environ'):\n"
        "    try: print(open(path).read())\n    except OSError: print('refused')"
    )
    outcome = await python(sandbox, code)
    assert outcome.exit_code == 0
    assert "refused" in outcome.text
    assert SECRET not in outcome.text


CONNECT = (
    "import socket, sys\ntry: socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.5)\n"
    "except OSError as e: print('refused')\nelse: print('connected')"
)


async def test_a_port_of_this_machine_cannot_be_reached(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        assert (await python(sandbox, CONNECT, "127.0.0.1", str(port))).text == "refused\n"


@pytest.mark.parametrize("host", ["169.254.169.254", "8.8.8.8", "localhost", "metadata.google.internal"])
async def test_other_networks_cannot_be_reached(sandbox: Sandbox, host: str) -> None:
    assert (await python(sandbox, CONNECT, host, "80")).text == "refused\n"


async def test_an_abstract_socket_of_the_service_cannot_be_reached(sandbox: Sandbox) -> None:
    name = f"\0gencode-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        code = (
            "import socket, sys\ntry: socket.socket(socket.AF_UNIX).connect('\\0' + sys.argv[1])\n"
            "except OSError: print('refused')"
        )
        assert (await python(sandbox, code, name[1:])).text == "refused\n"


async def test_a_fork_bomb_ends(sandbox: Sandbox) -> None:
    """Where the kernel limits the processes of the user, forks fail; else all of them are ended."""
    code = "import os\nwhile True:\n    try: os.fork()\n    except OSError: print('refused'); os._exit(3)"
    outcome = await python(sandbox, code)
    assert outcome.killed_by is KilledBy.PROCESSES or "refused" in outcome.text


async def test_threads_are_limited(sandbox: Sandbox) -> None:
    code = (
        "import threading, time\n"
        "for _ in range(200): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
        "time.sleep(1000)"
    )
    outcome = await python(sandbox, code)
    assert outcome.killed_by is KilledBy.PROCESSES or "can't start new thread" in outcome.text


FILL = (
    "import os, sys\nwritten = 0\ntry:\n"
    "    for n in range(1000):\n"
    "        with open(f'{sys.argv[1]}/{n}', 'wb') as f: written += f.write(b'x' * 2**20)\n"
    "except OSError as e: print(written >> 20, e.strerror)"
)


@pytest.mark.parametrize("folder", [".", "/tmp", "/dev/shm"])
async def test_the_disk_cannot_be_filled(sandbox: Sandbox, folder: str) -> None:
    outcome = await python(sandbox, FILL, folder, limits=Limits(disk_bytes=16 * MIB))
    megabytes, _, reason = outcome.text.strip().partition(" ")
    assert reason == "No space left on device"
    assert 8 <= int(megabytes) <= 16


async def test_a_file_cannot_be_too_large(sandbox: Sandbox) -> None:
    code = "try: open('a', 'wb').write(b'x' * 2**22)\nexcept OSError as e: print(e.strerror)"
    outcome = await python(sandbox, code, limits=Limits(file_bytes=MIB))
    assert outcome.text == "File too large\n"


async def test_memory_of_one_process_is_limited(sandbox: Sandbox) -> None:
    code = "try: b'x' * 2**30\nexcept MemoryError: print('refused')"
    outcome = await python(sandbox, code, limits=Limits(address_space=256 * MIB))
    assert outcome.text == "refused\n"


async def test_memory_of_all_processes_is_limited(sandbox: Sandbox) -> None:
    code = (
        "import os, time\n"
        "for _ in range(4):\n    if not os.fork(): kept = b'x' * (32 * 2**20); time.sleep(1000)\n"
        "time.sleep(1000)"
    )
    outcome = await python(sandbox, code, limits=Limits(memory=100 * MIB))
    assert outcome.killed_by is KilledBy.MEMORY


async def test_endless_output_ends(sandbox: Sandbox) -> None:
    outcome = await sandbox.run(("yes",), {}, Limits(output_bytes=10_000))
    assert (outcome.killed_by, len(outcome.output)) == (KilledBy.OUTPUT, 10_000)


async def test_an_endless_loop_ends(sandbox: Sandbox) -> None:
    code = (
        "import signal\nfor n in range(1, 32):\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\n"
    )
    outcome = await python(sandbox, f"{code}while True: pass", limits=Limits(seconds=0.5))
    assert (outcome.killed_by, outcome.exit_code) == (KilledBy.TIME, -9)


TRACE = (
    "import ctypes, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "print(libc.ptrace(16, int(sys.argv[1]), 0, 0), end=' ')\n"
    "for name in ('mem', 'environ', 'fd/0', 'fd/1', 'root/etc'):\n"
    "    try: open(f'/proc/{sys.argv[1]}/{name}', 'rb'); print(name, end=' ')\n    except OSError: pass"
)


async def test_neither_the_supervisor_nor_the_service_can_be_traced(sandbox: Sandbox) -> None:
    for pid in (1, os.getpid(), os.getppid()):
        assert (await python(sandbox, TRACE, str(pid))).text.strip() == "-1"


async def test_the_supervisor_cannot_be_killed(sandbox: Sandbox) -> None:
    code = "import os\nfor signal in (9, 15, 19): os.kill(1, signal)\nprint('alive')"
    outcome = await python(sandbox, code)
    assert (outcome.exit_code, outcome.text) == (0, "alive\n")


async def test_nothing_is_left_running(sandbox: Sandbox) -> None:
    """A daemon in a session of its own ends with the run: its name is found nowhere on this machine."""
    name = f"left-behind-{os.getpid()}"
    code = (
        "import os, sys\n"
        "if not os.fork():\n    os.setsid()\n    if not os.fork():\n"
        "        os.execv('/bin/sh', [sys.argv[1], '-c', 'echo begun; while :; do sleep 1; done'])\n"
        "    os._exit(0)\nos.wait()"
    )
    outcome = await python(sandbox, code, name)
    assert outcome.exit_code == 0
    names = {_command_line(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    assert not any(command and command[0] == name.encode() for command in names)
    assert any(b"pytest" in b" ".join(command) for command in names)


def _command_line(process: Path) -> tuple[bytes, ...]:
    try:
        return tuple((process / "cmdline").read_bytes().split(b"\0"))
    except OSError:
        return ()


@pytest.mark.parametrize(
    "folder", ["/", "/usr", "/usr/lib", "/etc", "/dev", "/bin", "/proc", "/var", sys.prefix]
)
async def test_nothing_outside_can_be_written(sandbox: Sandbox, folder: str) -> None:
    code = "import sys\ntry: open(sys.argv[1] + '/made', 'w')\nexcept OSError: print('refused')"
    assert (await python(sandbox, code, folder)).text == "refused\n"
    assert not (Path(folder) / "made").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("mount", "-t", "tmpfs", "none", "/usr"),
        ("mount", "-o", "remount,rw", "/usr"),
        ("umount", "-l", "/proc"),
        ("unshare", "--user", "--map-root-user", "true"),
        ("chroot", "/", "true"),
        ("mknod", "device", "b", "8", "0"),
    ],
)
async def test_privileges_cannot_be_gained(sandbox: Sandbox, command: Sequence[str]) -> None:
    outcome = await sandbox.run(command, {}, LIMITS)
    assert outcome.exit_code != 0


async def test_results_that_are_links_are_not_read(sandbox: Sandbox, data_dir: Path) -> None:
    script = f"ln -s {data_dir}/gencode.db a; ln -s /proc/1/environ b; ln -s /dev/zero c; echo text > d"
    outcome = await sandbox.run(("sh", "-c", script), {}, LIMITS, collect=("a", "b", "c", "d"))
    assert outcome.files == {"d": b"text\n"}


async def test_a_run_sees_nothing_of_another(sandbox: Sandbox) -> None:
    script = "ls -A . /tmp /dev/shm; touch left /tmp/left /dev/shm/left"
    first, second = [await sandbox.run(("sh", "-c", script), {}, LIMITS) for _ in range(2)]
    assert "left" not in first.text + second.text
    assert first.exit_code == second.exit_code == 0


async def test_an_answer_cannot_be_forged(sandbox: Sandbox) -> None:
    """The program writes what a supervisor would: it is output."""
    forged = '{"exit_code": 0, "killed_by": "", "seconds": 0, "output": 0, "files": []}'
    code = "import sys\nprint('gencode sandbox 1'); print(sys.argv[1], flush=True); sys.exit(7)"
    outcome = await python(sandbox, code, forged)
    assert (outcome.exit_code, outcome.text) == (7, f"gencode sandbox 1\n{forged}\n")


async def test_what_a_run_is_shown_can_be_read_and_not_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    (folder / "scratch").mkdir(parents=True)
    (folder / "file").write_text("shown")
    write = "echo x > /shown/other || echo refused; echo y > /shown/scratch/own && echo written"
    shown = Shown(path=folder, place="/shown", scratch=("scratch",))
    command = ("sh", "-c", f"cat /shown/file; {write}")
    outcome = await sandbox.run(command, {}, LIMITS, shown=(shown,))
    assert outcome.text.startswith("shown")
    assert "refused" in outcome.text
    assert "written" in outcome.text
    assert sorted(path.name for path in folder.rglob("*")) == ["file", "scratch"]
    assert "/shown" not in (await sandbox.run(("sh", "-c", "ls -d /*"), {}, LIMITS)).text


async def test_a_launcher_that_shows_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(SandboxFailed, match="cannot show"):
        await unisolated(tmp_path).run(("true",), {}, LIMITS, shown=(Shown(path=tmp_path, place="/shown"),))
