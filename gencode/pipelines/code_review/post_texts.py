"""The texts of a review that is posted to a host. What comes from a diff or a model has no effect there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gencode.diffs import Side
from gencode.pipelines.code_review.findings import Finding, FindingStatus
from gencode.pipelines.code_review.markdown import SEVERITY_WORDS, counts_line
from gencode.pipelines.code_review.result import OPEN, ReviewResult, reasons
from gencode.reviewhosts.port import ReviewHost
from gencode.reviewhosts.posting import Report, WantedComment
from gencode.reviewhosts.safe_text import block, code, in_line, plain
from gencode.security.redaction import SecretSource

MAX_BODY = 5000
"""Characters of a finding's text in a comment, before escapes."""
MAX_SUGGESTION = 10_000
MAX_LISTED_PATHS = 10
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "title": {"en": "Code review", "zh": "代码评审"},
    "reviewed": {"en": "Reviewed: {commit}.", "zh": "评审的提交：{commit}。"},
    "moved": {
        "en": "**The change has moved on** to {head} since this review, so new findings are listed here and "
        "not shown on lines.",
        "zh": "**此次评审之后，变更已更新**到 {head}，因此新问题列在这里，而不标在代码行上。",
    },
    "listed": {"en": "Findings that are not shown on a line", "zh": "未标在代码行上的问题"},
    "closed": {"en": "Fixed since the last review", "zh": "上次评审后已修复"},
    "incomplete": {
        "en": "**Not everything was reviewed.** Left out:",
        "zh": "**并非全部内容都已评审。**未评审：",
    },
    "excluded": {"en": "Left out by rules:", "zh": "按规则排除："},
    "more": {"en": "and {count} more", "zh": "以及另外 {count} 个"},
    "suggestion": {"en": "Suggestion:", "zh": "建议："},
    "is_fixed": {
        "en": "✅ **Fixed:** its line was changed or removed, or has left the change.",
        "zh": "✅ **已修复：**相关代码行已修改、删除，或已不在变更中。",
    },
    "is_ignored": {
        "en": "☑️ **Ignored** by a decision in gencode.",
        "zh": "☑️ **已忽略**（在 gencode 中的决定）。",
    },
    "note": {"en": "New findings: {count}", "zh": "新问题：{count}"},
    "by": {
        "en": "By gencode; the summary is edited at each review.",
        "zh": "由 gencode 生成；每次评审都会更新此摘要。",
    },
}


class PostTexts:
    """Implements ReviewTexts. `secrets`: those that are valid now."""

    def __init__(self, result: ReviewResult, language: str, secrets: SecretSource) -> None:
        self._result = result
        self._language = language if language == "zh" else "en"
        self._secrets = secrets
        self._findings = {finding.id: finding for finding in result.findings}

    @property
    def wanted(self) -> Sequence[WantedComment]:
        """The open findings, the most severe first."""
        found = [one for one in self._result.findings if one.status in OPEN]
        return [_wanted(one) for one in sorted(found, key=lambda one: one.severity.rank)]

    # --- comments ---------------------------------------------------------------------------------------

    def comment(self, key: str, host: ReviewHost) -> str:
        return "\n".join(self._comment(self._findings[key], host))

    def _comment(self, finding: Finding, host: ReviewHost) -> Iterator[str]:
        severity = SEVERITY_WORDS[finding.severity][self._language]
        yield f"**{severity}** ({finding.category}): {in_line(finding.title, self._secrets)}"
        if finding.body:
            yield from ("", plain(finding.body[:MAX_BODY], self._secrets))
        if suggested := self._suggestion(finding, host):
            yield from ("", self._text("suggestion"), "", suggested)

    def _suggestion(self, finding: Finding, host: ReviewHost) -> str | None:
        """One that can be applied on the host, where it replaces just the lines of the comment."""
        given = finding.suggestion
        if given is None or len(given.replacement) > MAX_SUGGESTION:
            return None
        line = finding.line or 0
        fits = finding.side is Side.NEW and given.first <= line <= given.last
        info = host.suggestion_fence(line - given.first, given.last - line) if fits else ""
        return block(given.replacement, self._secrets, info)

    def closed(self, key: str) -> str:
        finding = self._findings.get(key)
        is_ignored = finding is not None and finding.status is FindingStatus.IGNORED
        return self._text("is_ignored" if is_ignored else "is_fixed")

    def note(self, count: int) -> str:
        return self._text("note", count=count)

    # --- the summary ------------------------------------------------------------------------------------

    def summary(self, report: Report, room: int) -> str:
        """The findings that do not fit into it are counted."""
        head = [*self._head(report), *self._ledger()]
        foot = ["", f"_{self._text('by')}_"]
        listed = [self._findings[key] for key in report.listed]
        fixed = [one for one in self._result.findings if one.status is FindingStatus.FIXED]
        sections = [("listed", self._listed, listed), ("closed", self._short, fixed)]
        left = room - sum(len(one) + 1 for one in (*head, *foot)) - 500
        lines: list[str] = []
        for name, entry, findings in sections:
            if not findings:
                continue
            shown = _fitting(map(entry, findings), left)
            left -= sum(len(one) + 1 for one in shown)
            lines += ["", f"### {self._text(name)}", "", *shown]
            if len(shown) < len(findings):
                lines.append(f"- {self._text('more', count=len(findings) - len(shown))}")
        return "\n".join([*head, *lines, *foot])

    def _head(self, report: Report) -> Iterator[str]:
        yield f"## {self._text('title')}"
        yield ""
        yield counts_line(self._result, self._language)
        reviewed = self._result.head_commit or ("" if report.is_moved else report.change.head)
        if reviewed:
            yield self._text("reviewed", commit=code(reviewed[:12], self._secrets))
        if report.is_moved:
            yield from ("", self._text("moved", head=code(report.change.head[:12], self._secrets)))

    def _ledger(self) -> Iterator[str]:
        left_out = reasons(self._result.ledger)
        if not left_out:
            return
        yield from ("", self._text("excluded" if self._result.complete else "incomplete"), "")
        for reason, paths in left_out.items():
            shown = ", ".join(code(path[:200], self._secrets) for path in paths[:MAX_LISTED_PATHS])
            more = len(paths) - MAX_LISTED_PATHS
            yield f"- {in_line(reason, self._secrets)}: {shown}" + (
                f", {self._text('more', count=more)}" if more > 0 else ""
            )

    def _listed(self, finding: Finding) -> str:
        """With the beginning of its text: it has no comment."""
        body = " ".join(finding.body.split())
        cut = f"{body[:300]}…" if len(body) > 300 else body
        return f"{self._short(finding)}{f'. {in_line(cut, self._secrets)}' if cut else ''}"

    def _short(self, finding: Finding) -> str:
        severity = SEVERITY_WORDS[finding.severity][self._language]
        place = code(finding.place[-300:], self._secrets)
        return f"- {place} (**{severity}**): {in_line(finding.title, self._secrets)}"

    def _text(self, name: str, **values: object) -> str:
        return _TEXTS[name][self._language].format(**values)


def _fitting(entries: Iterable[str], room: int) -> list[str]:
    """Those before the first that does not fit; the others are not made."""
    shown = []
    for entry in entries:
        room -= len(entry) + 1
        if room < 0:
            break
        shown.append(entry)
    return shown


def _wanted(finding: Finding) -> WantedComment:
    return WantedComment(
        key=finding.id, path=finding.path, side=finding.side, line=finding.line, text=finding.quote
    )
