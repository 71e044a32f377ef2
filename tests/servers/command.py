"""One command of the program `gencode`, run to its end in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

import anyio

from tests.servers.fork_server import FORK_SERVER
from tests.servers.service import AT_START, ROOT

Completed = subprocess.CompletedProcess[bytes]
OWN = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}


async def gencode(
    *arguments: str | Path, data_dir: Path, status: int = 0, settings: Mapping[str, str] | None = None
) -> str:
    """What the command printed, to either stream; it must exit with `status`."""
    variables = {"DATA_DIR": str(data_dir), **(settings or {})}
    done = await run_gencode(arguments, variables, data_dir.parent, is_merged=True)
    assert done.returncode == status, done.stdout.decode()
    return done.stdout.decode()


async def run_gencode(
    arguments: Sequence[str | Path], variables: Mapping[str, str], folder: Path, *, is_merged: bool = False
) -> Completed:
    """In this folder, with these environment variables. Merged: errors are in the output."""
    words = list(map(str, arguments))
    if FORK_SERVER.is_enabled and not any(name.startswith(AT_START) for name in variables):
        return await _forked(words, OWN | variables, folder, is_merged)
    return await anyio.run_process(
        [sys.executable, "-m", "gencode", *words],
        env=OWN | variables,
        cwd=folder,
        stderr=subprocess.STDOUT if is_merged else subprocess.PIPE,
        check=False,
    )


async def _forked(
    words: list[str], environment: Mapping[str, str], folder: Path, is_merged: bool
) -> Completed:
    with TemporaryFile() as errors:
        stderr = None if is_merged else errors.fileno()
        process = await FORK_SERVER.start(["gencode", *words], environment, folder, stderr)
        try:
            output = b"".join([part async for part in process.stdout])
            status = await process.wait()
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            raise
        finally:
            await process.aclose()
        errors.seek(0)
        return Completed(words, status, output, errors.read())
