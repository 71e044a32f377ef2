"""The launcher `bubblewrap`: namespaces of the kernel, for which the service needs no privileges."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.launched import Launcher
from gencode.sandbox.port import MIB, Limits

PROGRAM = "bwrap"
WORK = "/sandbox"
SHARED_MEMORY = 16 * MIB
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_CONFIGURATION = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
"""What programs need to start; nothing about this machine and its users."""
_INHERITED = ("LD_LIBRARY_PATH",)
"""Without it, some interpreters do not find libpython."""
_FIRST_WITH_COUNTED_PROCESSES = (5, 14)
"""Linux then counts processes of a user by namespace; before, RLIMIT_NPROC would count the service's, too."""


def bubblewrap(hidden: Sequence[Path]) -> Launcher:
    """hidden: folders that stay empty inside, also if they are in a folder that is shown. Raises
    SandboxFailed if the program is missing."""
    found = shutil.which(PROGRAM)
    if not found:
        raise SandboxFailed("bubblewrap is not installed: `apt install bubblewrap`, or set SANDBOX=off")
    return Launcher(
        name="bubblewrap",
        command=partial(_command, found, tuple(hidden)),
        python=sys.executable,
        folder=WORK,
        environment={},
        counts_processes=_kernel() >= _FIRST_WITH_COUNTED_PROCESSES,
    )


def _command(program: str, hidden: Sequence[Path], limits: Limits) -> list[str]:
    size = str(limits.disk_bytes)
    inherited = [
        word for name in _INHERITED if name in os.environ for word in ("--setenv", name, os.environ[name])
    ]
    return [
        program,
        *("--unshare-all", "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"),
        *("--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL"),
        *("--hostname", "sandbox", "--clearenv", *inherited),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm"),  # noqa: S108
        *("--remount-ro", "/dev", "--size", size, "--tmpfs", "/tmp"),  # noqa: S108 - the sandbox's own
        *("--size", size, "--tmpfs", WORK),
        *_read_only(hidden),
        *("--remount-ro", "/", "--chdir", WORK, "--"),
    ]


def _read_only(hidden: Sequence[Path]) -> Iterator[str]:
    shown = _shown()
    for path in shown:
        yield from ("--ro-bind", str(path), str(path))
    for name in _SYSTEM:
        if os.path.islink(name):
            yield from ("--symlink", os.readlink(name), name)
        elif os.path.isdir(name):
            yield from ("--ro-bind", name, name)
    for name in _CONFIGURATION:
        yield from ("--ro-bind-try", name, name)
    for path in map(Path.resolve, hidden):
        if any(path.is_relative_to(above) for above in shown) and path.is_dir():
            yield from ("--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path))


def _shown() -> list[Path]:
    """/usr, and where the service's interpreter and its packages are. Raises SandboxFailed."""
    shown = [Path("/usr")]
    for prefix in (sys.base_prefix, sys.prefix):
        path = Path(prefix).resolve()
        if path == Path(path.anchor):
            raise SandboxFailed("the interpreter's prefix is the whole file system, which cannot be shown")
        if not any(path.is_relative_to(above) for above in shown):
            shown.append(path)
    return shown


def _kernel() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
