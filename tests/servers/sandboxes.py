"""Sandboxes for tests: bubblewrap, where it is installed, and a launcher that isolates nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from gencode.sandbox.launched import LaunchedSandbox, Launcher

ECHO = ("env",)
"""A launcher that runs what follows it."""


@cache
def lacks_bubblewrap() -> str:
    """Why bubblewrap cannot be used here; "" if it can."""
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed"
    tried = subprocess.run(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"],
        capture_output=True,
        text=True,
    )
    return tried.stderr.strip() or ("" if tried.returncode == 0 else "bwrap fails")


def require_bubblewrap() -> None:
    if reason := lacks_bubblewrap():
        pytest.skip(reason)


def unisolated(folder: Path, command: Sequence[str] = ECHO) -> LaunchedSandbox:
    """For programs that the test wrote itself."""
    launcher = Launcher(
        name="scripted",
        command=lambda limits: command,
        python=sys.executable,
        folder=str(folder),
        environment={"PATH": os.environ["PATH"]},
    )
    return LaunchedSandbox(launcher)
