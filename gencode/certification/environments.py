"""Environments in which projects are certified: a folder for each lock file of the template sets, made once
with the network, and shown to the sandbox for reading.

A folder is built beside its place and renamed when it is whole, so a process that prepares the same one at
the same time, or dies, leaves nothing half-made.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gencode.certification.installing import install_node, install_python
from gencode.certification.lock_files import Lock, Tool
from gencode.domain.errors import StartError

FOLDER = "build-environments"
"""In DATA_DIR."""
_READY = "ready.json"
_FORM = 2
"""Of the folders; another one makes all anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """versions: of packages, by name."""

    folder: Path
    versions: Mapping[str, str]


def environment_name(lock: Lock) -> str:
    """An environment belongs to a lock file, an interpreter and a kind of machine."""
    interpreter = f"{sys.implementation.cache_tag} {sys.base_prefix}" if lock.tool is Tool.PYTHON else "node"
    return hashlib.sha256(f"{_FORM} {lock.digest} {interpreter} {platform.machine()}".encode()).hexdigest()[
        :32
    ]


def prepared_environment(folder: Path, lock: Lock) -> Environment | None:
    """None if there is none."""
    place = folder / environment_name(lock)
    try:
        document = json.loads((place / _READY).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return Environment(folder=place, versions=document["versions"])


def prepare_environment(folder: Path, lock: Lock) -> Environment:
    """It is kept if it is there, and made otherwise. Raises StartError."""
    return prepared_environment(folder, lock) or _prepare(folder, lock)


def _prepare(folder: Path, lock: Lock) -> Environment:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as name:
        made = Path(name) / "environment"
        install = install_python if lock.tool is Tool.PYTHON else install_node
        versions = install(made, lock.files)
        (made / _READY).write_text(json.dumps({"versions": versions, "lock": lock.digest}), "utf-8")
        place = folder / environment_name(lock)
        if (found := prepared_environment(folder, lock)) is not None:
            return found
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    environment = prepared_environment(folder, lock)
    if environment is None:
        raise StartError(f"{place} cannot be read")
    return environment
