"""Puts data into memory, limits its process, and becomes the program that a line of JSON names."""

from __future__ import annotations

import json
import os
import resource
import sys

from gencode.limited_child.program import MAX_DESCRIPTORS, die_with, limit

_ENVIRONMENT = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


def main() -> None:
    die_with(int(sys.argv[1]))
    head = json.loads(sys.stdin.buffer.readline())
    memory = os.memfd_create("document")
    with os.fdopen(os.dup(memory), "wb") as file:
        file.write(sys.stdin.buffer.read(head["size"]))
    os.lseek(memory, 0, os.SEEK_SET)
    os.dup2(memory, 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    _limit_all(head["cpu_seconds"], head["memory"])
    os.execve(head["command"][0], head["command"], _ENVIRONMENT)  # noqa: S606


def _limit_all(cpu_seconds: int, memory: int) -> None:
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_NPROC, 0)
    limit(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS)
    limit(resource.RLIMIT_CPU, cpu_seconds)
    limit(resource.RLIMIT_AS, memory)
