"""Sandboxes for tests: bubblewrap, where it is installed, and a launcher that isolates nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.launched import LaunchedSandbox, Launcher
from gencode.sandbox.port import Limits

ECHO = ("env",)
"""A launcher that runs what follows it."""


@cache
def lacks_bubblewrap() -> str:
    """Why bubblewrap cannot be used here; "" if it can."""
    try:
        command = bubblewrap(()).command(Limits())
    except SandboxFailed as error:
        return error.message
    tried = subprocess.run([*command, "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"bubblewrap cannot isolate here: {tried.stderr.strip()}"


def require_bubblewrap() -> None:
    if reason := lacks_bubblewrap():
        pytest.skip(reason)


def unisolated(folder: Path, command: Sequence[str] = ECHO) -> LaunchedSandbox:
    """For programs that the test wrote itself."""
    launcher = Launcher(
        name="scripted",
        command=lambda limits, shown: command,
        python=sys.executable,
        folder=str(folder),
        environment={"PATH": os.environ["PATH"]},
    )
    return LaunchedSandbox(launcher)
