"""Asks `gencode_build_bodies`, which runs in the environment of the project, for what is to be sent."""

from __future__ import annotations

import json
import os
import select
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gencode.certification.programs.gencode_build_commands import Deadline, Unproven
else:
    from gencode_build_commands import Unproven

MAX_LINE = 4 * 2**20
PART = 65536
POLL_SECONDS = 0.5


class Factories:
    """A process that answers each line with a line of JSON. `names`: of the factories."""

    def __init__(self, command: Sequence[str], folder: str, errors: str, deadline: Deadline) -> None:
        self._deadline = deadline
        self._errors = errors
        self._rest = b""
        with open(errors, "wb") as file:
            self.process = subprocess.Popen(  # noqa: S603
                list(command),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                close_fds=False,
                start_new_session=True,
            )
        self.names: list[str] = self._line()

    def bodies(self, name: str) -> dict[str, Any]:
        """{"url", "bodies", "made"} of a factory. Raises Unproven."""
        made: dict[str, Any] = self._asked(f"bodies {name}")
        return made

    def make(self, name: str) -> None:
        """A record. Raises Unproven."""
        self._asked(f"make {name}")

    def _asked(self, question: str) -> Any:
        stream = self.process.stdin
        try:
            if stream is not None:
                stream.write(f"{question}\n".encode())
                stream.flush()
        except OSError:
            raise self._failure() from None
        return self._line()

    def _line(self) -> Any:
        stream = self.process.stdout
        number = stream.fileno() if stream is not None else -1
        while b"\n" not in self._rest:
            self._deadline.check()
            if select.select([number], [], [], POLL_SECONDS)[0]:
                part = os.read(number, PART)
                if not part or len(self._rest) > MAX_LINE:
                    raise self._failure()
                self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise self._failure() from None

    def _failure(self) -> Unproven:
        with open(self._errors, encoding="utf-8", errors="replace") as file:
            lines = file.read()[-5000:].strip().splitlines()
        return Unproven(f"the factories of the tests fail: {(lines or ['they say nothing'])[-1]}"[:300])
