"""What Git says of the working copy."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from gencode.domain.errors import StartError


def commit_id(ref: str) -> str:
    """Of a branch, tag or commit. Raises StartError."""
    if not ref or ref.startswith("-"):
        raise StartError(f"{ref!r} is no name of a branch or commit")
    return git_text("rev-parse", "--verify", f"{ref}^{{commit}}")


def git_text(*arguments: str) -> str:
    """A short answer. Raises StartError."""
    return git_output(arguments).decode("utf-8", "surrogateescape").strip()


def git_output(arguments: Sequence[str], folder: Path | None = None) -> bytes:
    """The answer as it is: a patch may have texts of any encoding. Raises StartError."""
    command = ["git", "-c", "core.quotepath=off", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        raise StartError(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        if said and "not a git repository" in said[0].lower():
            raise StartError("this folder is in no Git repository")
        reason = said[0][:300] if said else f"exit status {done.returncode}"
        raise StartError(f"git {arguments[0]}: {reason}")
    return done.stdout
