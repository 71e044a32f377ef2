"""The launcher `container:COMMAND`: a command of the operator's that runs what follows it in a container."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.launched import Launcher
from gencode.sandbox.port import Limits, Shown

PYTHON = "python3"
WORK = "/sandbox"
_INHERITED = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR")
"""What clients of container engines read. The container gets none of it."""


def container(command: str) -> Launcher:
    """command: as a shell reads it, up to and with the image. Raises SandboxFailed."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SandboxFailed(f"SANDBOX=container: {error}") from None
    if not words:
        raise SandboxFailed("SANDBOX=container: needs a command, such as container:docker run --rm -i IMAGE")

    def unchanged(limits: Limits, shown: Sequence[Shown]) -> Sequence[str]:
        return words

    return Launcher(
        name="container",
        command=unchanged,
        python=PYTHON,
        folder=WORK,
        environment={name: os.environ[name] for name in _INHERITED if name in os.environ},
    )
