"""One command of the program `gencode`, run to its end in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio

from tests.servers.service import ROOT


async def gencode(
    *arguments: str | Path, data_dir: Path, status: int = 0, settings: Mapping[str, str] | None = None
) -> str:
    """What the command printed, to either stream; it must exit with `status`."""
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(data_dir),
        **(settings or {}),
    }
    done = await anyio.run_process(
        [sys.executable, "-m", "gencode", *arguments],
        env=variables | {"PYTHONWARNINGS": "error"},
        cwd=data_dir.parent,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == status, done.stdout.decode()
    return done.stdout.decode()
