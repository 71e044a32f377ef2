"""The sandbox that a setting names."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from gencode.sandbox.bubblewrap import bubblewrap
from gencode.sandbox.container import container
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.isolation_check import isolation_faults
from gencode.sandbox.launched import LaunchedSandbox, Launcher
from gencode.sandbox.off import SandboxOff
from gencode.sandbox.port import Sandbox

OFF, BUBBLEWRAP, CONTAINER = "off", "bubblewrap", "container:"


def configured_sandbox(setting: str, hidden: Sequence[Path]) -> Sandbox:
    """setting: `off`, `bubblewrap`, or `container:COMMAND`. hidden: folders of the service. Raises
    SandboxFailed."""
    return SandboxOff() if setting == OFF else LaunchedSandbox(_launcher(setting, hidden))


async def checked_sandbox(setting: str, data_dir: Path) -> Sandbox:
    """The sandbox, if it is off or isolates. Raises SandboxFailed."""
    sandbox = configured_sandbox(setting, (data_dir,))
    if sandbox.off_reason:
        return sandbox
    if faults := await isolation_faults(sandbox, _existing(data_dir)):
        raise SandboxFailed(f"The sandbox does not isolate: a program in it {', and '.join(faults)}")
    return sandbox


def _existing(data_dir: Path) -> Path:
    """Before the first start, DATA_DIR is not there."""
    return data_dir if data_dir.is_dir() else Path(tempfile.gettempdir())


def _launcher(setting: str, hidden: Sequence[Path]) -> Launcher:
    if setting.startswith(CONTAINER):
        return container(setting.removeprefix(CONTAINER))
    return bubblewrap(hidden)
