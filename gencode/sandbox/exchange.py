"""The service's side of the exchange with the supervisor. The answer comes from where foreign code runs, so
it is read strictly and within bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gencode.domain.path_rules import check_path
from gencode.sandbox import supervisor
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.port import KilledBy, Limits, Outcome

MAX_LINE = 2**20
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "USER": "sandbox",
    "LOGNAME": "sandbox",
}
Size = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest:
    """One run, see Sandbox.run."""

    command: Sequence[str]
    files: Mapping[str, bytes]
    limits: Limits
    environment: Mapping[str, str] = field(default_factory=dict)
    collect: Sequence[str] = ()


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, defer_build=True)

    exit_code: Annotated[int, Field(ge=-255, le=255)]
    killed_by: Annotated[KilledBy, Field(strict=False)]
    seconds: Annotated[float, Field(ge=0)]
    output: Size
    files: list[Annotated[tuple[str, Size], Field(strict=False)]]


def program() -> str:
    """The supervisor's text."""
    return Path(supervisor.__file__).read_text(encoding="utf-8")


def check_request(request: RunRequest) -> None:
    """Raises UnsafePath, and SandboxFailed for files that have no room."""
    for path in (*request.files, *request.collect):
        check_path(path, workflows=True)
    size = sum(map(len, request.files.values()))
    if size > request.limits.disk_bytes // 2:
        raise SandboxFailed(
            f"The files have {size} bytes, and the sandbox has room for {request.limits.disk_bytes // 2}"
        )


def encoded_head(request: RunRequest, folder: str, python_path: str, *, counts_processes: bool) -> bytes:
    """The first line. `python_path`: the directory of the interpreter, which the program finds first."""
    environment = {**ENVIRONMENT, "PATH": f"{python_path}:{ENVIRONMENT['PATH']}", **request.environment}
    head = {
        "command": list(request.command),
        "folder": folder,
        "environment": environment,
        "limits": asdict(request.limits),
        "collect": list(request.collect),
        "counts_processes": counts_processes,
        "files": [[path, len(data)] for path, data in request.files.items()],
    }
    return json.dumps(head).encode() + b"\n"


async def read_outcome(stream: BufferedByteReceiveStream, request: RunRequest) -> Outcome:
    """Raises SandboxFailed for an answer that no supervisor gives; the errors of the stream at its end."""
    line = await stream.receive_until(b"\n", MAX_LINE)
    try:
        answer = _Answer.model_validate_json(line)
        _check(answer, request)
    except (ValidationError, ValueError):
        raise SandboxFailed(
            f"The sandbox answered what cannot be read: {line[:200].decode('utf-8', 'replace')!r}"
        ) from None
    output = await stream.receive_exactly(answer.output) if answer.output else b""
    files = {path: await stream.receive_exactly(size) if size else b"" for path, size in answer.files}
    return Outcome(
        exit_code=answer.exit_code,
        output=output,
        seconds=answer.seconds,
        killed_by=answer.killed_by,
        files=files,
    )


def _check(answer: _Answer, request: RunRequest) -> None:
    """Raises ValueError."""
    names = [path for path, _ in answer.files]
    if answer.output > request.limits.output_bytes or len(set(names)) != len(names):
        raise ValueError
    if sum(size for _, size in answer.files) > request.limits.collected_bytes:
        raise ValueError
    if not set(names) <= set(request.collect):
        raise ValueError
