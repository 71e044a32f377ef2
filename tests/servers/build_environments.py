"""Environments in which rendered projects are proven: prepared once, kept beside the tests' own packages."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from pathlib import Path

import pytest

from gencode.certification.environments import prepare_environment
from gencode.certification.lock_files import official_locks
from gencode.domain.errors import StartError
from tests.servers.sandboxes import require_bubblewrap

FOLDER = Path(sys.prefix) / "build-environments"
DATABASE_PROGRAMS = {"postgresql": "initdb", "mysql": "mariadbd"}
_PLACES = ("/usr/sbin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin"))))


@cache
def build_environments(template_set: str = "fastapi") -> Path:
    """The folder of all. Where tests cannot be skipped, in CI, a lack is an error."""
    require_bubblewrap()
    try:
        prepare_environment(FOLDER, official_locks()[template_set])
    except StartError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"the environment cannot be prepared: {error.message}")
    return FOLDER


def require_database(database: str) -> None:
    path = os.pathsep.join([os.environ["PATH"], *_PLACES])
    if "CI" not in os.environ and not shutil.which(DATABASE_PROGRAMS[database], path=path):
        pytest.skip(f"{database} is not installed")
