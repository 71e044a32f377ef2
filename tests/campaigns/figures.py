"""What a campaign prints: counts, quantiles, versions."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from importlib.metadata import version

from gencode import __version__

_PACKAGES = ("starlette", "uvicorn", "sse-starlette", "httpx", "anyio", "dulwich", "pydantic")


def quantiles(seconds: Sequence[float]) -> str:
    """p50, p99 and the worst, in milliseconds, with their number."""
    if not seconds:
        return "none measured"
    p50, p99 = quantile(seconds, 0.5), quantile(seconds, 0.99)
    return (
        f"p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, max {max(seconds) * 1e3:.0f} ms (n={len(seconds)})"
    )


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least a share `q` of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(len(ordered) * q * 1000) // 1000) - 1)]


def none_of(count: int) -> str:
    """What zero failures among so many trials say: the upper 95 % bound of the rate is about 3/n."""
    return f"0 of {count}: below {3 / count:.2g} per trial at 95 % confidence" if count else "none tried"


def versions() -> str:
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    packages = f"gencode {__version__}, {packages}"
    system = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, git {git}"
    return f"{packages}; {system}, {platform.system()} {platform.release()}, {os.cpu_count()} cores"
