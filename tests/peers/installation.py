"""Where the peers are installed, and how their programs are run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process

HOME = Path(os.environ.get("PEERS_HOME") or Path(sys.prefix) / "peers")
"""Made by `make peers`: `python`, a virtual environment, and `node_modules`."""
PYTHON = HOME / "python/bin/python"


def requires_python(package: str) -> pytest.MarkDecorator:
    """Skips without this package of the module's requirements."""
    is_installed = any((HOME / "python").glob(f"lib/python*/site-packages/{package}"))
    return pytest.mark.skipif(not is_installed, reason=f"make peers installs {package}")


def requires_node(package: str) -> pytest.MarkDecorator:
    """Skips without Node.js, or without this package of package.json."""
    is_installed = bool(shutil.which("node")) and (HOME / "node_modules" / package).exists()
    return pytest.mark.skipif(not is_installed, reason=f"needs Node.js; make peers installs {package}")


def program(name: str) -> str:
    """A command of the peers' own virtual environment."""
    return str(PYTHON.with_name(name))


async def run(*words: str | Path, folder: Path, **environment: str) -> str:
    """The standard output of a command that must succeed."""
    done = await anyio.run_process(
        list(map(str, words)),
        check=False,
        cwd=folder,
        env={"PATH": f"{PYTHON.parent}:{os.environ['PATH']}", "HOME": str(folder), **environment},
    )
    output = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, output + done.stderr.decode("utf-8", "replace")
    return output


async def run_node(source: str, *arguments: str, folder: Path) -> str:
    """The standard output of a JavaScript module, which can import the installed packages."""
    return await run("node", _script(source, folder), *arguments, folder=folder)


@asynccontextmanager
async def node_process(source: str, *arguments: str, folder: Path) -> AsyncIterator[Process]:
    """A JavaScript module that runs until the context ends."""
    words = ["node", str(_script(source, folder)), *arguments]
    async with await anyio.open_process(words, cwd=folder, stderr=None) as process:
        try:
            yield process
        finally:
            process.kill()


def _script(source: str, folder: Path) -> Path:
    script = folder / "peer.mjs"
    script.write_text(source, encoding="utf-8")
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(HOME / "node_modules")
    return script
