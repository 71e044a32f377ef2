"""The port of the sandbox: what is run in it, within which limits, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

MIB = 2**20


class KilledBy(StrEnum):
    """Why a run was ended before the program ended."""

    NOTHING = ""
    TIME = "time"
    PROCESSOR_TIME = "processor_time"
    OUTPUT = "output"
    PROCESSES = "processes"
    MEMORY = "memory"
    SYSTEM = "system"
    """The sandbox ended without a result: the system ended it, mostly for its memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The limits of one run.

    seconds          from the start of the program to its end
    cpu_seconds      whole seconds of each process
    address_space    bytes of each process
    memory           bytes that all processes hold; measured every few hundredths of a second
    processes        processes and threads that exist at the same time
    file_bytes       of one file
    disk_bytes       of all files in the work folder, and as much again in /tmp; kept in memory
    output_bytes     standard output and standard error together
    collected_bytes  of all collected files together
    """

    seconds: float = 30.0
    cpu_seconds: int = 30
    address_space: int = 2048 * MIB
    memory: int = 512 * MIB
    processes: int = 64
    file_bytes: int = 16 * MIB
    disk_bytes: int = 64 * MIB
    output_bytes: int = 256 * 1024
    collected_bytes: int = 4 * MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A file or folder of this machine that a run may read.

    path     on this machine
    place    absolute, inside
    scratch  names of folders in it that are empty and writable inside, and part of the disk's limit
    """

    path: Path
    place: str
    scratch: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a run left. All of it was made by the program: it proves nothing by itself.

    exit_code  as the shell knows it; negative for the signal that ended the program
    output     standard output and standard error in the order of writing, at most Limits.output_bytes
    files      those of the collected paths that are regular files within the limits
    """

    exit_code: int
    output: bytes
    seconds: float
    killed_by: KilledBy = KilledBy.NOTHING
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The output as text."""
        return self.output.decode("utf-8", "replace")


class Sandbox(Protocol):
    """Runs programs apart from the service."""

    @property
    def off_reason(self) -> str:
        """Why nothing can be run, for users; "" if the sandbox is on."""

    @property
    def python(self) -> str:
        """The path of the Python interpreter inside."""

    @property
    def can_show(self) -> bool:
        """Whether a run can be shown files of this machine."""

    async def run(
        self,
        command: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        *,
        environment: Mapping[str, str] | None = None,
        collect: Sequence[str] = (),
        shown: Sequence[Shown] = (),
    ) -> Outcome:
        """Run one program in a new folder, in which each run has only its own files.

        command      the program, found in PATH, and its arguments
        files        by relative path; written before the program starts
        environment  variables besides PATH, HOME, LANG
        collect      relative paths of files to read when every process has ended
        shown        only if the sandbox `can_show`

        Raises SandboxFailed.
        """
