"""The launcher `bubblewrap`: namespaces of the kernel, for which the service needs no privileges."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.launched import Launcher
from gencode.sandbox.port import MIB, Limits, Shown

PROGRAM = "bwrap"
WORK = "/sandbox"
SHARED_MEMORY = 16 * MIB
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_CONFIGURATION = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
"""What programs need to start; nothing about this machine and its users."""
_HOSTS = Path(__file__).with_name("hosts.txt")
"""The addresses of localhost: programs look it up when they start, as vitest does."""
_MAX_LINKS = 10
_SHORTEST = len(("/", "bin", "python3"))
"""The parts of a path whose prefix is the whole file system, of which /bin is shown anyway."""
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
        can_show=True,
        counts_processes=_kernel() >= _FIRST_WITH_COUNTED_PROCESSES,
    )


def _command(program: str, hidden: Sequence[Path], limits: Limits, shown: Sequence[Shown] = ()) -> list[str]:
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
        *(word for one in shown for word in _shown_to_run(one, size)),
        *("--remount-ro", "/", "--chdir", WORK, "--"),
    ]


def _shown_to_run(one: Shown, size: str) -> Iterator[str]:
    yield from ("--ro-bind", str(one.path.resolve()), one.place)
    for name in one.scratch:
        yield from ("--size", size, "--tmpfs", f"{one.place}/{name}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder of this machine, and its place in the sandbox."""

    folder: Path
    place: Path


def _read_only(hidden: Sequence[Path]) -> Iterator[str]:
    shown = _shown()
    for one in shown:
        yield from ("--ro-bind", str(one.folder), str(one.place))
    for name in _SYSTEM:
        if os.path.islink(name):
            yield from ("--symlink", os.readlink(name), name)
        elif os.path.isdir(name):
            yield from ("--ro-bind", name, name)
    for name in _CONFIGURATION:
        yield from ("--ro-bind-try", name, name)
    yield from ("--ro-bind", str(_HOSTS), "/etc/hosts")
    for path in map(Path.resolve, hidden):
        for one in shown:
            if path.is_relative_to(one.folder) and path.is_dir():
                place = str(one.place / path.relative_to(one.folder))
                yield from ("--size", "4096", "--tmpfs", place, "--remount-ro", place)


def _shown() -> list[_Place]:
    """/usr, and where the service's interpreter and its packages are. A folder that is also reached through a
    link, as a .venv that is one, has both places. Raises SandboxFailed."""
    shown = [_Place(Path("/usr"), Path("/usr"))]
    for name in _prefixes():
        folder = name.resolve()
        if folder == Path(folder.anchor):
            raise SandboxFailed("the interpreter's prefix is the whole file system, which cannot be shown")
        for place in (folder, name):
            if not any(place.is_relative_to(one.place) for one in shown):
                shown.append(_Place(folder, place))
    return shown


def _prefixes() -> list[Path]:
    """Of the interpreter, of that from which it was made, and of each link between the two."""
    names = [Path(sys.base_prefix), Path(sys.prefix)]
    link = Path(sys.executable)
    for _ in range(_MAX_LINKS):
        if link.parent.name == "bin" and len(link.parts) > _SHORTEST:
            names.append(link.parent.parent)
        if not link.is_symlink():
            break
        link = Path(os.path.normpath(link.parent / link.readlink()))
    return names


def _kernel() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
