"""Runs a campaign from the command line, in a folder that is kept if the run fails."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sized
from pathlib import Path
from typing import Protocol, TypeVar

import anyio


class Report(Protocol):
    @property
    def faults(self) -> Sized: ...


R = TypeVar("R", bound=Report)


def run_campaign(name: str, title: str, run: Callable[[Path], Awaitable[R]], show: Callable[[R], str]) -> int:
    """Returns the exit status: 1 if a fault was found."""
    folder = Path(tempfile.mkdtemp(prefix=f"gencode-{name}-"))
    print(f"{title}; a failed run keeps {folder}", flush=True)
    report = anyio.run(run, folder)
    print(show(report), flush=True)
    if report.faults:
        return 1
    shutil.rmtree(folder)
    return 0
