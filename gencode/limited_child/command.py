"""Runs a program of others on untrusted data, with limits and without a file on a disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from gencode.limited_child.process import open_process, parts

PROGRAM = "gencode.limited_child.command_main"
SECONDS = 60.0
"""Timeout, for a busy machine; the limit of processor time ends the program earlier."""


class CommandFailed(Exception):
    """The program could not be started, was ended by a limit, failed, or wrote too much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandLimits:
    """`cpu_seconds`: whole seconds. `memory`: bytes of address space. `max_output`: bytes."""

    cpu_seconds: int
    memory: int
    max_output: int


async def output_of(command: Sequence[str], data: bytes, limits: CommandLimits) -> bytes:
    """The standard output. The data is the program's standard input and can be opened as /dev/stdin.

    command  an absolute path and arguments

    Raises CommandFailed.
    """
    try:
        process = await open_process(PROGRAM)
    except OSError as error:
        raise CommandFailed(f"it cannot be started: {error}") from None
    try:
        with anyio.fail_after(SECONDS):
            head = {"command": list(command), "size": len(data), **asdict(limits)}
            output = await _exchange(process, json.dumps(head).encode() + b"\n" + data, limits.max_output)
            status = await process.wait()
    except TimeoutError:
        raise CommandFailed(f"it did not end within {SECONDS:.0f} seconds") from None
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                process.kill()
            await process.aclose()
    if status:
        raise CommandFailed(f"it ended with status {status}")
    return output


async def _exchange(process: Process, data: bytes, max_output: int) -> bytes:
    if not process.stdin or not process.stdout:
        raise CommandFailed("it has no pipes")
    received = bytearray()
    async with anyio.create_task_group() as group:
        group.start_soon(_send, process.stdin, data)
        is_whole = await _receive(process.stdout, received, max_output)
        group.cancel_scope.cancel()
    if not is_whole:
        raise CommandFailed(f"it wrote more than {max_output} bytes")
    return bytes(received)


async def _send(stream: ByteSendStream, data: bytes) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        for part in parts(data):
            await stream.send(part)


async def _receive(stream: ByteReceiveStream, received: bytearray, max_output: int) -> bool:
    """Whether the end came before the limit."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while len(received) <= max_output:
            received += await stream.receive()
    return len(received) <= max_output
