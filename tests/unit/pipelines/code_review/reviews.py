"""Diffs and claims for tests of reviews."""

from __future__ import annotations

from typing import Any

from gencode.diffs import Diff, Side, anchor_of, diff_texts, display_line, hunk_lines
from gencode.diffs.values import FileDiff, Status
from gencode.pipelines.code_review.answers import ClaimedFinding
from gencode.pipelines.code_review.findings import Category, Finding, Severity
from gencode.pipelines.code_review.placing import ReviewedFile


def file_diff(path: str, old: str, new: str) -> FileDiff:
    status = Status.MODIFIED if old else Status.ADDED
    return FileDiff(
        old_path=path if old else None,
        new_path=path,
        status=status,
        hunks=diff_texts(old.encode(), new.encode()),
    )


def reviewed(path: str, old: str, new: str, *, has_blob: bool = False) -> ReviewedFile:
    blob = new.encode() if has_blob else None
    return ReviewedFile(number=0, file=file_diff(path, old, new), blob=blob)


def diff_of(**files: tuple[str, str]) -> Diff:
    return Diff(files=tuple(file_diff(f"{name}.py", old, new) for name, (old, new) in files.items()))


def claim(file: ReviewedFile, line: int, side: Side = Side.NEW, **fields: Any) -> ClaimedFinding:
    text = hunk_lines(file.file, side)[line]
    given = {
        "path": file.path,
        "anchor": str(anchor_of(file.file.path, side, line, text)),
        "quote": display_line(text),
        "severity": Severity.MAJOR,
        "category": Category.BUG,
        "title": "wrong",
    }
    return ClaimedFinding.model_validate(given | fields)


def finding(**fields: Any) -> Finding:
    given = {
        "identity": "i",
        "path": "a.py",
        "line": 1,
        "end_line": fields.get("line", 1),
        "severity": Severity.MAJOR,
        "category": Category.BUG,
        "title": "wrong",
        "body": "",
    }
    return Finding.model_validate(given | fields)
