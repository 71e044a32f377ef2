"""Checks by trying whether a sandbox isolates: settings or the kernel may make less of it than it seems."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gencode.sandbox import probe
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.launched import CANARY
from gencode.sandbox.port import KilledBy, Limits, Sandbox

LIMITS = Limits(seconds=60.0, processes=16)
_TOO_MUCH = "import sys; sys.stdout.write('x' * 10_000_000)"


async def isolation_faults(sandbox: Sandbox, folder: Path) -> Sequence[str]:
    """What a program in the sandbox can do although it must not; empty if the sandbox isolates.

    folder  a folder of the service, in which a file is made for a moment

    Raises SandboxFailed if the sandbox cannot be started.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".sandbox-") as file, _listener() as listener:
        port = str(listener.getsockname()[1])
        command = (sandbox.python, "-I", "-S", "probe.py", file.name, CANARY, port)
        outcome = await sandbox.run(command, {"probe.py": _text()}, LIMITS)
    try:
        faults = [str(fault) for fault in json.loads(outcome.output)]
    except (ValueError, TypeError):
        raise SandboxFailed(f"The check of the sandbox failed: {outcome.text.strip()[-300:]!r}") from None
    limited = await sandbox.run((sandbox.python, "-I", "-S", "-c", _TOO_MUCH), {}, LIMITS)
    if limited.killed_by is not KilledBy.OUTPUT:
        faults.append("writes without a limit")
    return faults


def _text() -> bytes:
    return Path(probe.__file__).read_bytes()


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))
