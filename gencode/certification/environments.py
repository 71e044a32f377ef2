"""Environments in which projects are certified: a folder for each lock file of the template sets, made once
with the network, and shown to the sandbox for reading.

A folder is built beside its place and renamed when it is whole, so a process that prepares the same one at
the same time, or dies, leaves nothing half-made.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gencode.certification.lock_files import lock_digest, official_locks
from gencode.domain.errors import StartError

FOLDER = "build-environments"
"""In DATA_DIR."""
_READY = "ready.json"
_SECONDS = 1800.0
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PREFIXES = ("PIP_", "HTTP", "ALL_PROXY", "NO_PROXY", "http", "all_proxy", "no_proxy", "REQUESTS_")
"""Of variables that say where packages come from. Secrets of the service are not passed on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """versions: of packages, by name."""

    folder: Path
    versions: Mapping[str, str]


def environment_name(lock: bytes) -> str:
    """An environment belongs to a lock file and an interpreter."""
    interpreter = f"{sys.implementation.cache_tag} {platform.machine()} {sys.base_prefix}"
    return hashlib.sha256(f"{lock_digest(lock)} {interpreter}".encode()).hexdigest()[:32]


def prepared_environment(folder: Path, lock: bytes) -> Environment | None:
    """None if there is none."""
    place = folder / environment_name(lock)
    try:
        document = json.loads((place / _READY).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return Environment(folder=place, versions=document["versions"])


def prepared_environments(folder: Path) -> dict[str, Environment | None]:
    """Those of all official lock files, by the digest of the lock file."""
    return {digest: prepared_environment(folder, lock) for digest, lock in official_locks().items()}


def prepare_environments(folder: Path) -> dict[str, Environment]:
    """As `prepared_environments`; what is missing is made, with the network. Raises StartError."""
    found = prepared_environments(folder)
    return {digest: one or _prepare(folder, official_locks()[digest]) for digest, one in found.items()}


def _prepare(folder: Path, lock: bytes) -> Environment:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as name:
        made = Path(name) / "environment"
        _make(made, lock)
        place = folder / environment_name(lock)
        if (found := prepared_environment(folder, lock)) is not None:
            return found
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    environment = prepared_environment(folder, lock)
    if environment is None:
        raise StartError(f"{place} cannot be read")
    return environment


def _make(place: Path, lock: bytes) -> None:
    _run([sys.executable, "-m", "venv", str(place)])
    python = str(place / "bin" / "python")
    requirements = place / "requirements.lock"
    requirements.write_bytes(lock)
    options = ("--require-hashes", "--only-binary", ":all:", "--no-deps", "--disable-pip-version-check")
    _run([python, "-m", "pip", "install", "--quiet", *options, "--requirement", str(requirements)])
    _run([python, "-m", "pip", "check"])
    listed = json.loads(_run([python, "-m", "pip", "list", "--format", "json", *options[-1:]]))
    versions = {one["name"]: one["version"] for one in listed}
    (place / _READY).write_text(json.dumps({"versions": versions, "lock": lock_digest(lock)}), "utf-8")


def _run(command: Sequence[str]) -> str:
    """The standard output. Raises StartError with the last lines of the other."""
    inherited = {k: v for k, v in os.environ.items() if k in _INHERITED or k.startswith(_PREFIXES)}
    try:
        done = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env=inherited,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartError(f"{' '.join(command[:3])}: {error}") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise StartError(f"{' '.join(command[:4])} failed: {' '.join(lines)[-1000:]}")
    return done.stdout
