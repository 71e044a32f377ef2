"""Installs what a lock file names, with the package indexes that are configured on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gencode.domain.errors import StartError

MYPY_CACHE = "mypy-cache"
"""A folder of a Python environment: what mypy knows of the packages, which takes it most of its time."""
SCRATCH = (".vite", ".vite-temp")
"""Folders in node_modules into which its tools write."""
_SECONDS = 1800.0
_INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
)
_PREFIXES = ("PIP_", "NPM_CONFIG_", "npm_config_", "HTTP", "http", "NO_PROXY", "no_proxy", "ALL_PROXY")
"""Of variables that say where packages come from. Secrets of the service are not passed on."""
_IMPORTS = """import alembic.config
import fastapi.middleware.cors
import pydantic_settings
import sqlalchemy.dialects.mysql
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.types
from fastapi import exceptions, responses
"""
"""Of rendered projects."""


def install_python(place: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Versions by package. Raises StartError."""
    _run([sys.executable, "-m", "venv", str(place)], place.parent)
    _write(place, files)
    python, quiet = str(place / "bin" / "python"), "--disable-pip-version-check"
    options = ("--require-hashes", "--only-binary", ":all:", "--no-deps", "--quiet", quiet)
    _run([python, "-m", "pip", "install", *options, "--requirement", "requirements.lock"], place)
    _run([python, "-m", "pip", "check", quiet], place)
    (place / "imports.py").write_text(_IMPORTS, "utf-8")
    _run([python, "-m", "mypy", "--cache-dir", MYPY_CACHE, "imports.py"], place)
    listed = json.loads(_run([python, "-m", "pip", "list", "--format", "json", quiet], place))
    return {one["name"]: one["version"] for one in listed}


def install_node(place: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Versions by package, of those that package.json names, and of Node. Raises StartError."""
    npm = shutil.which("npm")
    if npm is None or not shutil.which("node"):
        raise StartError("Node.js and npm are not installed: they are needed for front ends")
    place.mkdir()
    _write(place, files)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], place)
    for name in SCRATCH:
        (place / "node_modules" / name).mkdir()
    locked = json.loads(files["package-lock.json"])["packages"]
    named = {*locked[""].get("dependencies", {}), *locked[""].get("devDependencies", {})}
    versions = {name: locked[f"node_modules/{name}"]["version"] for name in sorted(named)}
    return {"node": _run(["node", "--version"], place).strip().removeprefix("v"), **versions}


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (place / name).write_bytes(data)


def _run(command: Sequence[str], folder: Path) -> str:
    """The standard output. Raises StartError with the last lines of the other."""
    inherited = {k: v for k, v in os.environ.items() if k in _INHERITED or k.startswith(_PREFIXES)}
    try:
        done = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env=inherited,
            cwd=folder,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartError(f"{' '.join(command[:3])}: {error}") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise StartError(f"{' '.join(command[:4])} failed: {' '.join(lines)[-1000:]}")
    return done.stdout
