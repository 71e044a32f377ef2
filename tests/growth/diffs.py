"""Functions that read patches, and compare and show what users have committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from gencode.diffs import (
    BundleLimits,
    Claim,
    Diff,
    ExclusionRules,
    FileDiff,
    NewFile,
    Side,
    Status,
    Suggestion,
    TrackedFinding,
    apply_suggestion,
    blob_lines,
    carry_over,
    diff_texts,
    display_path,
    finding_identity,
    parse_patch,
    path_text,
    place,
    plan_review,
    render_hunk,
    split_lines,
)
from gencode.domain.errors import GencodeError

_NAMES = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n"


def _patch(text: str) -> None:
    """The text as a patch, as each part of a header, as names, as a message, and as binary data."""
    data = text.encode("utf-8", "replace")
    for before in (
        *(
            b"",
            b"diff --git ",
            b'diff --git "a/',
            b"diff --git a/f b/f\n",
            b"rename from ",
            b"--- ",
            b"--- a\n+++ ",
        ),
        *(
            b"@@ -1 +1 @@ ",
            _NAMES + b"@@ -1,99999 +1,99999 @@\n",
            b"diff --git a/f b/f\nGIT binary patch\nliteral 1\n",
        ),
        *(b"From 1111111111111111111111111111111111111111 Mon\nSubject: ", b"Submodule ", b"Binary files "),
        b"commit 1111111111111111111111111111111111111111\nAuthor: ",
    ):
        with suppress(GencodeError):
            parse_patch(before + data)
        with suppress(GencodeError):
            parse_patch((before + data[:40] + b"\n") * (len(data) // (len(before) + 41)))


def _hunk(text: str) -> None:
    lines = text.encode("utf-8", "replace").split(b"\n")
    body = b"".join(b"+%b\n" % line for line in lines)
    (commit,) = parse_patch(_NAMES + b"@@ -0,0 +1,%d @@\n%b" % (len(lines), body)).commits
    (file,) = commit.diff.files
    render_hunk(file, file.hunks[0])
    known = {Side.NEW: blob_lines(b"\n".join(lines))}
    place(Claim(path="f", anchor=text, quote=text), file, known)
    place(Claim(path="f", anchor="3#abcd", quote=text), file, known)


def _texts(text: str) -> None:
    """The longest hostile texts have a line for each character."""
    data = text.encode("utf-8", "replace")
    half = len(data) // 2
    for old, new in (
        (data, data[half:] + data[:half]),
        (data, b""),
        (data, data[::2]),
        (data[::2], data[1::2]),
    ):
        diff_texts(old, new)


def _findings(text: str) -> None:
    """Findings on lines of a text whose halves have changed places, and a suggestion for one."""
    data = text.encode("utf-8", "replace")
    half = len(data) // 2
    old, new = split_lines(data), split_lines(data[half:] + data[:half])
    for line in range(1, min(len(old), 100)):
        finding_identity("a", old, line, text[:100])
    file = FileDiff(old_path="a", new_path="a", status=Status.MODIFIED)
    findings = [TrackedFinding(identity="", path="a", line=line) for line in range(1, 100)]
    carry_over(findings, Diff(files=(file,)), lambda _: b"".join(old), lambda _: b"".join(new))
    apply_suggestion(data, Suggestion(first=1, last=max(len(old), 1), old=text, replacement=text + "x"))


def _plan(text: str) -> None:
    """The text as code that is added, as a path, and as a pattern."""
    data = text.encode("utf-8", "replace")
    lines = blob_lines(data)
    file = FileDiff(old_path=None, new_path="a.js", status=Status.ADDED, hunks=diff_texts(b"", data))
    named = replace(file, new_path=path_text(data[:4096]), hunks=diff_texts(b"", b"a\n"))
    rules = ExclusionRules(exclude=[text[:200]], max_lines=2**30)
    new_files = {"a.js": NewFile(lines=lines, functions=[range(1, len(lines))])}
    for limits in (BundleLimits(), BundleLimits(bundle=1000, total=10**9)):
        plan_review(Diff(files=(file, named)), limits, rules, new_files)


FUNCTIONS: Mapping[str, Callable[[str], object]] = {
    "patch": _patch,
    "hunk": _hunk,
    "changed text": _texts,
    "findings": _findings,
    "review plan": _plan,
    "shown path": display_path,
}
