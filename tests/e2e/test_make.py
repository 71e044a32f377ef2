"""The commands of a newcomer and of CI."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.servers.ports import reserve_port
from tests.servers.service import ROOT

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


# Without what a make above us (as in `make test`) hands down to its children.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def make(*words: str) -> str:
    done = subprocess.run(
        ["make", *words], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def phony_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    return {name for line in re.findall(r"^\.PHONY:(.*)$", text, re.MULTILINE) for name in line.split()}


@needs_make
def test_make_alone_lists_every_command() -> None:
    assert set(re.findall(r"^  make ([a-z-]+) ", make(), re.MULTILINE)) == phony_targets()


@needs_make
@pytest.mark.parametrize("target", sorted(phony_targets()))
def test_every_command_has_what_it_needs(target: str) -> None:
    make("--dry-run", target)


@needs_make
@pytest.mark.skipif(not (Path(sys.prefix) / "bin/gencode").exists(), reason="needs gencode installed")
@pytest.mark.campaign
@pytest.mark.parametrize(("target", "models"), [("run", 404), ("workspace", 200)])
def test_the_service_is_started_and_serves_until_ctrl_c(tmp_path: Path, target: str, models: int) -> None:
    """Twice in one folder: the first run leaves nothing behind that stops the second."""
    for _ in range(2):
        with _running(tmp_path, target) as (process, url):
            assert httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
            assert httpx.get(f"{url}/api/v1/ai/models", trust_env=False).status_code == models
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to make and the service alike
            output, _ = process.communicate(timeout=120)
        assert "Traceback" not in output
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/readyz", trust_env=False)


@contextmanager
def _running(folder: Path, target: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`make TARGET` in the installed environment, once its welcome is printed."""
    stamp = f"{sys.prefix}/.{target}"
    process = subprocess.Popen(
        ["make", "--silent", f"VENV={sys.prefix}", f"--old-file={stamp}", target],
        cwd=ROOT,
        env={**ENVIRONMENT, "SERVER_PORT": str(reserve_port()), "DATA_DIR": str(folder / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    try:
        yield process, next(filter(None, map(_address, process.stdout)))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _address(line: str) -> str | None:
    found = re.search(r"gencode is ready at (\S+) ", line)
    return found.group(1) if found else None


PEERS_OF_CI = "make peers PEERS=isomorphic_git octokit openapi_clients"


# --- on a bare machine ------------------------------------------------------------------------------


class BareMachine:
    """A machine on which only the programs of the test are installed. `calls`: the commands run there, in
    order."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log = folder / "calls"
        self.log.touch()
        for name in ("bash", "sh", "dirname", "id", "grep", "cat"):
            found = shutil.which(name)
            assert found
            (self.bin / name).symlink_to(found)

    def install(self, name: str, script: str = "") -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>"{self.log}"\n{script}\n')
        path.chmod(0o755)

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=ROOT,
            env={"PATH": str(self.bin)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def bare_machine(tmp_path: Path) -> BareMachine:
    return BareMachine(tmp_path)


NO_ENSUREPIP = 'case "$*" in *ensurepip*) exit 1;; esac'
TOO_OLD = 'case "$*" in *version_info*) exit 1;; esac'


def test_without_venv_on_debian_the_missing_package_is_named(
    bare_machine: BareMachine, tmp_path: Path
) -> None:
    bare_machine.install("python3", NO_ENSUREPIP)
    done = bare_machine.run("sh", ".ci/venv", tmp_path / "venv")
    assert (done.returncode, done.stdout) == (1, "")
    assert "apt-get install python3-venv" in done.stderr


def test_uv_replaces_a_missing_venv(bare_machine: BareMachine, tmp_path: Path) -> None:
    bare_machine.install("python3", NO_ENSUREPIP)
    bare_machine.install("uv")
    assert bare_machine.run("sh", ".ci/venv", tmp_path / "venv").returncode == 0
    assert (
        bare_machine.calls[-1]
        == f"uv venv --quiet --clear --seed --python {bare_machine.bin}/python3 {tmp_path}/venv"
    )


def test_another_python_is_found_when_the_first_is_too_old(bare_machine: BareMachine, tmp_path: Path) -> None:
    bare_machine.install("python3", TOO_OLD)
    bare_machine.install("python3.12")
    assert bare_machine.run("sh", ".ci/venv", tmp_path / "venv").returncode == 0
    assert bare_machine.calls[-1] == f"python3.12 -m venv --clear {tmp_path}/venv"


def test_a_python_that_is_too_old_is_refused(bare_machine: BareMachine, tmp_path: Path) -> None:
    bare_machine.install("python3", TOO_OLD)
    done = bare_machine.run("sh", ".ci/venv", tmp_path / "venv")
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr


@needs_bash
def test_ci_installs_what_is_missing_and_checks_everything(bare_machine: BareMachine) -> None:
    for name in ("apt-get", "make"):
        bare_machine.install(name)
    bare_machine.install("sudo", 'shift; exec "$@"')
    bare_machine.install("python3", NO_ENSUREPIP)
    assert bare_machine.run("bash", ".ci/run").returncode == 0
    installed = {
        word
        for call in bare_machine.calls
        if "apt-get" in call and " install " in call
        for word in call.split()
    }
    assert {"git", "python3-venv", "golang-go", "nodejs"} <= installed
    assert "make" not in installed
    assert bare_machine.calls[-3:] == ["make check", "make slices", PEERS_OF_CI]


@needs_bash
def test_ci_continues_without_programs_that_only_some_tests_need(bare_machine: BareMachine) -> None:
    for name in ("git", "make", "python3"):
        bare_machine.install(name)
    bare_machine.install("apt-get", "exit 100")
    bare_machine.install("sudo", 'shift; exec "$@"')
    done = bare_machine.run("bash", ".ci/run")
    assert done.returncode == 0
    assert "going on without: golang-go" in done.stderr
    assert bare_machine.calls[-3:] == ["make check", "make slices", PEERS_OF_CI]


@needs_bash
def test_ci_fails_when_the_check_fails(bare_machine: BareMachine) -> None:
    for name in ("git", "python3", "go", "node", "chromium"):
        bare_machine.install(name)
    bare_machine.install("make", "exit 2")
    assert bare_machine.run("bash", ".ci/run").returncode == 2
