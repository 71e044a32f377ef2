"""What became of the findings of earlier reviews, and which findings of this one are new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gencode.diffs import (
    Diff,
    FileDiff,
    Side,
    Status,
    TrackedFinding,
    anchor_of,
    carry_over,
    display_line,
    display_path,
)
from gencode.diffs.finding_identity import Fate
from gencode.pipelines.code_review.findings import Finding, FindingStatus, finding_id
from gencode.pipelines.code_review.merging import SIMILAR, similarity
from gencode.pipelines.code_review.seen_lines import SeenLines
from gencode.workspace.reviews.store import FindingRecord
from gencode.workspace.reviews.tables import ReviewFinding, StoredStatus

_WHEN_FOUND = {
    StoredStatus.OPEN: FindingStatus.STILL_THERE,
    StoredStatus.GONE: FindingStatus.RETURNED,
    StoredStatus.IGNORED: FindingStatus.IGNORED,
}
_WHEN_STORED = {
    FindingStatus.FIXED: StoredStatus.GONE,
    FindingStatus.IGNORED: StoredStatus.IGNORED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownFinding:
    """A finding of an earlier review. `now`: where it is in the new diff; None if it is gone."""

    id: str
    status: StoredStatus
    finding: Finding
    now: Finding | None

    def is_about(self, other: Finding) -> bool:
        """Of two findings about the same line: the same kind of fault, or the same words. Without a line only
        the words count."""
        if self.finding.category is other.category and other.line is not None:
            return True
        return similarity(self.finding.title, other.title) >= SIMILAR


def known_findings(
    rows: Sequence[ReviewFinding], before: SeenLines, after: SeenLines, diff: Diff
) -> list[KnownFinding]:
    """before, after  the lines that the last review has seen, and those of `diff`"""
    findings = {row.id: Finding.model_validate_json(row.finding) for row in rows}
    places = _carried(findings, before, after)
    deleted = _deleted_lines(diff)
    return [
        KnownFinding(
            id=row.id,
            status=StoredStatus(row.status),
            finding=findings[row.id],
            now=_now(findings[row.id], places.get(row.id), after, deleted),
        )
        for row in rows
    ]


def _carried(
    findings: Mapping[str, Finding], before: SeenLines, after: SeenLines
) -> Mapping[str, int | None]:
    """By the id of a finding whose line was seen: its line now, None if it was changed or removed."""
    seen = {
        name: one
        for name, one in findings.items()
        if one.side is Side.NEW and one.line and one.path in before and one.line in before[one.path].positions
    }
    between = Diff(files=tuple(_file(path, after) for path in before))
    tracked = [
        TrackedFinding(identity=name, path=one.path, line=before[one.path].positions[one.line or 0])
        for name, one in seen.items()
    ]
    carried = carry_over(
        tracked, between, lambda file: before[file.path].content, lambda file: after[file.path].content
    )
    return {
        one.finding.identity: None
        if one.fate is Fate.FIXED
        else after[one.finding.path].numbers[one.finding.line - 1]
        for one in carried
    }


def _file(path: str, after: SeenLines) -> FileDiff:
    there = path in after
    status = Status.MODIFIED if there else Status.DELETED
    return FileDiff(old_path=path, new_path=path if there else None, status=status)


def _deleted_lines(diff: Diff) -> Mapping[str, Mapping[str, int]]:
    """By path and text: the number of a deleted line."""
    found: dict[str, dict[str, int]] = {}
    for file in diff.files:
        texts = found.setdefault(display_path(file.path), {})
        for line in (line for hunk in file.hunks for line in hunk.lines()):
            if line.new is None:
                texts.setdefault(display_line(line.text), line.old or 0)
    return found


def _now(
    finding: Finding, line: int | None, after: SeenLines, deleted: Mapping[str, Mapping[str, int]]
) -> Finding | None:
    if finding.side is Side.OLD:
        line = deleted.get(finding.path, {}).get(finding.quote)
        return finding.model_copy(update={"line": line, "end_line": line}) if line else None
    if finding.path not in after:
        return None
    if finding.line is None:
        return finding
    if line is None:
        return None
    file = after[finding.path]
    text = file.texts[file.positions[line] - 1]
    end = line + (finding.end_line or finding.line) - finding.line
    changes = {
        "line": line,
        "end_line": end if end in file.positions else line,
        "anchor": str(anchor_of(file.path, Side.NEW, line, text)),
        "suggestion": finding.suggestion if line == finding.line else None,
    }
    return finding.model_copy(update=changes)


def with_statuses(
    findings: Sequence[Finding], known: Sequence[KnownFinding], owner: str, subject: str
) -> list[Finding]:
    """The findings of this review, with their ids and statuses; then those of earlier reviews that it did not
    find again, unless they were gone before."""
    matches = _matches(findings, known)
    told = [_told(one, matches.get(n), owner, subject) for n, one in enumerate(findings)]
    found = {one.id for one in matches.values()}
    return [*told, *_not_found(one for one in known if one.id not in found)]


def _matches(findings: Sequence[Finding], known: Sequence[KnownFinding]) -> dict[int, KnownFinding]:
    """By position: the finding of an earlier review that is the same, by its identity, else by its place; one
    that was gone has no place, so its text decides."""
    by_identity = {one.finding.identity: one for one in known}
    matches = {n: by_identity[one.identity] for n, one in enumerate(findings) if one.identity in by_identity}
    used = {one.id for one in matches.values()}
    by_place: dict[tuple[object, ...], list[KnownFinding]] = {}
    for one in known:
        if one.id not in used:
            by_place.setdefault(_place(one), []).append(one)
    for n, finding in enumerate(findings):
        here = [
            *by_place.get((finding.path, finding.side, finding.line), ()),
            *by_place.get((finding.path, finding.side, finding.quote), ()),
        ]
        if n not in matches and (same := next((one for one in here if one.is_about(finding)), None)):
            by_place[_place(same)].remove(same)
            matches[n] = same
    return matches


def _place(known: KnownFinding) -> tuple[str, Side, int | str]:
    """Where it is now; of one that is not in the diff, the text of its line."""
    if known.status is StoredStatus.GONE or known.now is None or known.now.line is None:
        return known.finding.path, known.finding.side, known.finding.quote
    return known.now.path, known.now.side, known.now.line


def _told(finding: Finding, same: KnownFinding | None, owner: str, subject: str) -> Finding:
    if same is None:
        return finding.model_copy(update={"id": finding_id(owner, subject, finding.identity)})
    changes = {"id": same.id, "identity": same.finding.identity, "status": _WHEN_FOUND[same.status]}
    return finding.model_copy(update=changes)


def _not_found(known: Iterator[KnownFinding]) -> Iterator[Finding]:
    """A line that is still the same is not cured because a model does not mention it again."""
    for one in known:
        if one.status is StoredStatus.GONE:
            continue
        if one.now is not None:
            status = _WHEN_FOUND[one.status]
            yield one.now.model_copy(update={"id": one.id, "status": status})
        elif one.status is StoredStatus.OPEN:
            yield one.finding.model_copy(update={"id": one.id, "status": FindingStatus.FIXED})


def record_of(finding: Finding) -> FindingRecord:
    return FindingRecord(
        id=finding.id,
        identity=finding.identity,
        status=_WHEN_STORED.get(finding.status, StoredStatus.OPEN),
        path=finding.path,
        line=finding.line,
        severity=finding.severity,
        category=finding.category,
        title=finding.title,
        finding=finding.model_dump_json(),
    )
