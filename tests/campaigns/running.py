"""A campaign from the command line: in a folder that a failed run keeps, for whoever looks into it."""

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


def run_campaign(name: str, words: str, run: Callable[[Path], Awaitable[R]], show: Callable[[R], str]) -> int:
    """The exit status: 1 if it found a fault."""
    folder = Path(tempfile.mkdtemp(prefix=f"gencode-{name}-"))
    print(f"{words}; a failed run keeps {folder}", flush=True)
    report = anyio.run(run, folder)
    print(show(report), flush=True)
    if report.faults:
        return 1
    shutil.rmtree(folder)
    return 0
