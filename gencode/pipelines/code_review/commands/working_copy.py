"""The changes of a working copy as Git's patch, in bytes: texts of other encodings stay what they are."""

from __future__ import annotations

from gencode.cli.git_command import commit_id, git_output
from gencode.domain.errors import StartError

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
        return git_output([*_DIFF, "HEAD", "--"])
    if head:
        return git_output([*_DIFF, f"{base}...{head}", "--"])
    begin = git_output(["merge-base", base, "HEAD"]).decode().strip()
    return git_output([*_DIFF, begin, "--"])


def commit_of(base: str | None, head: str | None) -> str:
    """The commit up to which `changes` goes; "" if it has what is not committed."""
    if head:
        return commit_id(head)
    if base is None or git_output([*_DIFF, "HEAD", "--"]):
        return ""
    return commit_id("HEAD")
