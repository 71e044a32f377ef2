"""The wheel: built and installed as in the container, then used from another folder by a user without rights.

The RUN lines of deploy/Dockerfile are executed here, in folders of the test.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.service import ROOT

NOBODY = 65534
UNREACHABLE = re.compile("NewConnectionError|NameResolutionError|ProxyError|ConnectTimeout|Max retries")
pytestmark = [
    pytest.mark.campaign,
    pytest.mark.timeout(900),  # the downloads of a first run
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]


class Machine:
    """Stands for the container: one folder that everybody may read, and one that belongs to no user."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.source = top / "src"
        self.gencode = top / "opt/gencode/bin/gencode"
        self.wheels = top / "wheels"
        self.home = top / "home"
        self.home.mkdir()
        self.python = _python_for_all_users()
        self._arguments: dict[str, str] = {}
        if os.geteuid() == 0:
            os.chown(self.home, NOBODY, NOBODY)

    def build(self) -> None:
        """The copies and commands of the first stage."""
        self.source.mkdir()
        for instruction, rest in _instructions(ROOT / "deploy/Dockerfile"):
            if instruction == "COPY":
                self._copy(rest.split())
            elif instruction == "ARG":
                name, _, value = rest.partition("=")
                self._arguments[name] = value
            elif instruction == "RUN":
                self._run(rest)

    def _copy(self, words: list[str]) -> None:
        *sources, target = words
        for source in sources:
            place = self.source / target
            place.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, place, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / source, place)

    def _run(self, line: str) -> None:
        here = re.sub(r"(?<=[ ])/(opt|wheels)", rf"{self.top}/\1", f" {line}")
        here = here.replace(" python -m", f" {shlex.quote(self.python)} -m")
        environment = {
            **os.environ,
            **self._arguments,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONPATH": "",
        }
        environment["PIP_NO_COMPILE"] = "1"  # a third of the time, for modules that are imported once
        done = subprocess.run(
            here, shell=True, cwd=self.source, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode and UNREACHABLE.search(done.stdout + done.stderr):
            pytest.skip("needs a package index")
        assert done.returncode == 0, done.stdout + done.stderr

    def run_as_nobody(self, *words: str) -> str:
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(
            words,
            cwd=self.home,
            env={"PATH": os.defpath, "HOME": "/nonexistent", "DATA_DIR": f"{self.home}/data"},
            capture_output=True,
            text=True,
            check=False,
            **who,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def machine() -> Iterator[Machine]:
    # Not pytest's own folder: only its owner may enter that one.
    with tempfile.TemporaryDirectory(prefix="gencode-package-") as name:
        Path(name).chmod(0o755)
        made = Machine(Path(name))
        made.build()
        yield made


@pytest.mark.long
def test_the_container_is_built_and_a_user_without_rights_runs_the_whole_demo(machine: Machine) -> None:
    """One test: each process of a test run would build the container again."""
    _check_the_wheel_is_complete(machine)
    _check_nothing_is_imported_from_the_source_folder(machine)
    said = machine.run_as_nobody(str(machine.gencode), "demo")
    assert "completed" in said
    assert "without your settings: the offline model answers" in said
    assert "No language model is configured" not in said
    assert str(ROOT) not in said
    words = shlex.split(said.strip().splitlines()[-1])
    assert words[:2] == ["git", "clone"]
    machine.run_as_nobody(*words)
    assert not machine.run_as_nobody("git", "-C", words[3], "fsck", "--strict", "--no-progress")


def _check_the_wheel_is_complete(machine: Machine) -> None:
    (wheel,) = machine.wheels.glob("gencode_service-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("gencode/")}
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "gencode").rglob("*") if path.is_file()}
    assert "gencode/ui/assets/vendor/highlight/LICENSE" in packed
    assert packed == {name for name in here if "__pycache__" not in name}


def _check_nothing_is_imported_from_the_source_folder(machine: Machine) -> None:
    python = machine.gencode.with_name("python")
    where = machine.run_as_nobody(str(python), "-c", "import gencode; print(gencode.__path__[0])")
    assert where.startswith(str(machine.top / "opt"))


def _instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """The instructions of the first stage."""
    text = dockerfile.read_text(encoding="utf-8").replace("\\\n", " ")
    first = text.split("\nFROM ")[1]
    for line in first.splitlines()[1:]:
        instruction, _, rest = line.partition(" ")
        yield instruction, rest


def _python_for_all_users() -> str:
    """A Python may be in a home folder that other users may not enter."""
    if os.geteuid() != 0:
        return sys.executable
    for python in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        works = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
        try:
            done = subprocess.run([python, "-c", works], user=NOBODY, capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return python
    pytest.skip("needs a Python that an unprivileged user may run")
