"""Reads files whose path comes from a user: only regular files, since others may block or have no end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 2**20
"""The default limit; a setting or a secret is far smaller."""


class NotAFile(OSError):
    """A pipe, a device or a socket, or a file that is too large. The text says which."""


def read_regular_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file. Never blocks: a pipe may have no writer, and /dev/zero has no end.

    limit   the most bytes that are accepted

    Raises NotAFile, and OSError as `open` does.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile("it is not a regular file (a pipe, a device or a folder)")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotAFile(f"it has more than {limit} bytes")
    return content
