"""Helpers of the measuring process in processes of their own: one line of JSON in, lines of JSON out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


class Child:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def hear(self) -> Any:
        """Its next line; raises RuntimeError if there is none, or if it tells of an error."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        said = json.loads(line) if line else {"error": "a helper ended without a word"}
        if isinstance(said, dict) and "error" in said:
            raise RuntimeError(said["error"])
        return said

    def stop(self) -> None:
        """By the end of its standard input."""
        assert self._process.stdin
        self._process.stdin.close()


@contextmanager
def running(name: str, spec: Any) -> Iterator[Child]:
    """`python -m tests.benchmarks.against.NAME`, which reads its spec from standard input."""
    command = [sys.executable, "-m", f"{__package__}.{name}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        assert process.stdin
        print(json.dumps(spec), file=process.stdin, flush=True)
        try:
            yield Child(process)
        finally:
            process.kill()


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)
