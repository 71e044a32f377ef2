"""Ports of 127.0.0.1 that belong to one test process."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from functools import cache
from pathlib import Path
from random import SystemRandom

RANGE = range(10_000, 32_000, 2)
"""Below the ephemeral ports (Linux: from 32,768), which the system gives to outgoing connections. Such a
connection may take a port between a server's end and its restart, and a client that connects to an ephemeral
port on which nothing listens may be connected to itself."""

_LOCK_FILE = Path(tempfile.gettempdir()) / f"gencode-test-ports-{os.getuid()}"


def reserve_port() -> int:
    """A port on which nothing listens, and which no other call returns while this process lives, in whichever
    process of this machine. The next port is reserved with it: the local forge listens there by default.
    """
    for _ in RANGE:
        port = SystemRandom().choice(RANGE)
        if _lock(port) and _is_free(port) and _is_free(port + 1):
            return port
    raise RuntimeError(f"all ports of {RANGE} are reserved or in use")


closed_port = reserve_port
"""For tests that want their connection refused."""


def _lock(port: int) -> bool:
    """Lock one byte of a file that all test processes share; the system unlocks it when this process ends."""
    if port in _reserved():
        return False
    try:
        fcntl.lockf(_lock_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _reserved().add(port)
    return True


@cache
def _lock_file() -> int:
    """Its descriptor, opened once: closing any of the file would release all locks of this process."""
    return os.open(_LOCK_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)


@cache
def _reserved() -> set[int]:
    """A process is never refused its own locks."""
    return set()


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
