"""Programs of others with limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from gencode.limited_child.command import CommandFailed, CommandLimits, output_of

LIMITS = CommandLimits(cpu_seconds=1, memory=2**28, max_output=100)


async def shell(script: str, data: bytes = b"") -> bytes:
    return await output_of(("/bin/sh", "-c", script), data, LIMITS)


async def test_the_data_is_a_file_that_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_canary")
    output = await shell("cat; cat /dev/stdin; echo ${GITHUB_TOKEN:-none}", b"data\n")
    assert output == b"data\ndata\nnone\n"


@pytest.mark.parametrize(
    "script",
    ["exit 3", "kill -SEGV $$", "while :; do :; done", "while :; do echo text; done"],
)
async def test_what_fails_or_reaches_a_limit_is_an_error(script: str) -> None:
    with pytest.raises(CommandFailed):
        await shell(script)


async def test_nothing_can_be_written_to_a_file(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        await shell(f"exec cat > {tmp_path}/file", b"data\n")
    assert (tmp_path / "file").read_bytes() == b""


async def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CommandFailed):
        await output_of(("/nonexistent/program",), b"", LIMITS)


async def test_a_program_that_reads_nothing_ends_all_the_same() -> None:
    assert await shell("echo text", bytes(10**6)) == b"text\n"
