"""A container command, with a scripted client of a container engine: what it starts goes on without it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio
import pytest

from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.configured import checked_sandbox, configured_sandbox
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.isolation_check import isolation_faults
from gencode.sandbox.launched import LaunchedSandbox
from gencode.sandbox.port import KilledBy, Limits
from tests.servers.sandboxes import require_bubblewrap

pytestmark = pytest.mark.campaign
FLAGS = "run --rm --interactive --network none --read-only gencode-tests"
CLIENT = """\
#!{python}
import json, os, subprocess, sys
with open({seen!r}, "w") as file:
    json.dump([sys.argv[1:], sorted(os.environ)], file)
at = sys.argv.index("gencode-tests")
if not {isolation}:
    sys.exit("Unable to find image 'gencode-tests:latest' locally")
container = [*{isolation}, *sys.argv[at + 1 :]]
sys.exit(subprocess.Popen(container, start_new_session=True).wait())
"""


def client(folder: Path, isolation: list[str]) -> str:
    """The setting for a client that isolates by this command."""
    program, seen = folder / "engine", folder / "seen.json"
    program.write_text(CLIENT.format(python=sys.executable, seen=str(seen), isolation=isolation))
    program.chmod(0o755)
    return f"container:{program} {FLAGS}"


def isolating(*options: str) -> list[str]:
    """As an engine would with this machine's /usr as the image. It does not end with its client."""
    require_bubblewrap()
    words = [word for word in bubblewrap(()).command(Limits()) if word != "--die-with-parent"]
    end = len(words) - list(reversed(words)).index("--remount-ro") - 1
    path = ("--setenv", "PATH", f"{sys.prefix}/bin:/usr/bin:/bin")
    return [*words[:end], *path, *options, *words[end:]]


async def test_a_container_that_isolates_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/engine.sock")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-canary")
    sandbox = await checked_sandbox(client(tmp_path, isolating()), tmp_path)
    assert isinstance(sandbox, LaunchedSandbox)
    script = "cat a/b.txt; env; echo done > c.txt; exit 3"
    outcome = await sandbox.run(("sh", "-c", script), {"a/b.txt": b"text\n"}, Limits(), collect=("c.txt",))
    assert (outcome.exit_code, outcome.files) == (3, {"c.txt": b"done\n"})
    assert outcome.text.startswith("text\n")
    assert "DOCKER_HOST" not in outcome.text
    arguments, variables = json.loads((tmp_path / "seen.json").read_text())
    assert arguments[: len(FLAGS.split())] == FLAGS.split()
    assert arguments[len(FLAGS.split()) :][:4] == ["python3", "-I", "-S", "-c"]
    assert "DOCKER_HOST" in variables
    assert "DEEPSEEK_API_KEY" not in variables


async def test_a_limit_ends_what_runs_in_the_container(tmp_path: Path) -> None:
    sandbox = configured_sandbox(client(tmp_path, isolating()), ())
    outcome = await sandbox.run(("sleep", "1000"), {}, Limits(seconds=0.3))
    assert (outcome.killed_by, outcome.exit_code) == (KilledBy.TIME, -9)


async def test_a_cancelled_run_ends_the_container_although_its_client_is_gone(tmp_path: Path) -> None:
    """The supervisor sees the end of its input."""
    shared = tmp_path / "shared"
    shared.mkdir()
    isolation = isolating("--bind", str(shared), "/mnt")
    sandbox = configured_sandbox(client(tmp_path, isolation), ())
    async with anyio.create_task_group() as group:
        group.start_soon(sandbox.run, ("sh", "-c", "touch /mnt/begun; sleep 1000"), {}, Limits(seconds=600))
        while not (shared / "begun").exists():
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    while _runs(str(shared)):
        await anyio.sleep(0.01)


def _runs(word: str) -> bool:
    """Whether a process has this word in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


async def test_a_container_that_shares_too_much_is_refused(tmp_path: Path) -> None:
    """The network and the folder of the service, as `--network host --volume` would."""
    words = isolating("--share-net", "--ro-bind", str(tmp_path), str(tmp_path))
    sandbox = configured_sandbox(client(tmp_path, words), ())
    faults = set(await isolation_faults(sandbox, tmp_path))
    assert {"reads files of the service", "reaches the network of this machine"} <= faults
    with pytest.raises(SandboxFailed, match="does not isolate"):
        await checked_sandbox(client(tmp_path, words), tmp_path)


async def test_an_engine_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SandboxFailed, match="Unable to find image"):
        await checked_sandbox(client(tmp_path, []), tmp_path)
