"""The changes of a working copy as Git's patch, in bytes: texts of other encodings stay what they are."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from gencode.domain.errors import StartError

_GIT = ("git", "-c", "core.quotepath=off")
_DIFF = (
    *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--find-renames"),
    *("--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"),
)
"""Whatever the user has configured, the patch has the usual form, and no other program is run."""


def changes(base: str | None, head: str | None) -> bytes:
    """The patch.

    neither         what is not committed
    base            from where the branch left `base` to the working copy
    base and head   from where `head` left `base` to `head`

    Raises StartError.
    """
    for ref in (base, head):
        if ref is not None and (not ref or ref.startswith("-")):
            raise StartError(f"{ref!r} is no name of a branch or commit")
    if head and not base:
        raise StartError("--head needs --base: from where on?")
    if base is None:
        return _run([*_DIFF, "HEAD", "--"])
    if head:
        return _run([*_DIFF, f"{base}...{head}", "--"])
    begin = _run(["merge-base", base, "HEAD"]).decode().strip()
    return _run([*_DIFF, begin, "--"])


def commit_of(base: str | None, head: str | None) -> str:
    """The commit up to which `changes` goes; "" if it has what is not committed."""
    if head:
        return _run(["rev-parse", "--verify", f"{head}^{{commit}}"]).decode().strip()
    if base is None or _run([*_DIFF, "HEAD", "--"]):
        return ""
    return _run(["rev-parse", "HEAD"]).decode().strip()


def origin() -> str:
    """The address of the remote origin."""
    return _run(["remote", "get-url", "origin"]).decode().strip()


def _run(arguments: Sequence[str]) -> bytes:
    try:
        done = subprocess.run([*_GIT, *arguments], capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        raise StartError(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0] if said else f"exit status {done.returncode}"
        raise StartError(f"git {arguments[0]}: {reason}")
    return done.stdout
