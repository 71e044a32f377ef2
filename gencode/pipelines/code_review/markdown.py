"""A review as Markdown, for people. Whatever comes from the diff or the model is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gencode.pipelines.code_review.findings import Finding, FindingStatus, Severity
from gencode.pipelines.code_review.requirements import Met, TracedRequirement
from gencode.pipelines.code_review.result import ReviewResult, reasons

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "title": {"en": "Code review", "zh": "代码评审"},
    "nothing": {"en": "Nothing was found.", "zh": "未发现问题。"},
    "nothing_read": {"en": "Nothing was reviewed.", "zh": "未评审任何内容。"},
    "left_out": {
        "en": "By max_findings, {count} more were left out.",
        "zh": "另有 {count} 个问题超出 max_findings，未列出。",
    },
    "found": {"en": "{count} findings: {list}.", "zh": "{count} 个问题：{list}。"},
    "found_one": {"en": "1 finding: {list}.", "zh": "1 个问题：{list}。"},
    "read": {
        "en": "{files} {file_word}, {added} {line_word} added, {deleted} deleted.",
        "zh": "{files} 个文件，新增 {added} 行，删除 {deleted} 行。",
    },
    "incomplete": {"en": "**Not everything was reviewed.**", "zh": "**并非全部内容都已评审。**"},
    "not_reviewed": {"en": "Not reviewed", "zh": "未评审"},
    "suggestion": {"en": "Suggestion:", "zh": "建议："},
    "no_line": {"en": "no line is proven: {reason}", "zh": "没有可证实的行：{reason}"},
    "earlier": {"en": "Told before and still there", "zh": "此前已报告，仍然存在"},
    "fixed": {"en": "Fixed", "zh": "已修复"},
    "ignored": {"en": "Ignored", "zh": "已忽略"},
    "requirements": {"en": "Requirements", "zh": "需求"},
    "more": {"en": "and {count} more", "zh": "以及另外 {count} 个"},
}
SEVERITY_WORDS = {
    Severity.CRITICAL: {"en": "critical", "zh": "严重"},
    Severity.MAJOR: {"en": "major", "zh": "重要"},
    Severity.MINOR: {"en": "minor", "zh": "次要"},
    Severity.INFO: {"en": "info", "zh": "提示"},
}
_MET = {
    Met.MET: {"en": "met", "zh": "满足"},
    Met.PARTLY: {"en": "partly met", "zh": "部分满足"},
    Met.MISSING: {"en": "missing", "zh": "缺失"},
    Met.NOT_TOUCHED: {"en": "not touched", "zh": "未涉及"},
}
_LISTED_PATHS = 20
_SHORT = {
    FindingStatus.STILL_THERE: "earlier",
    FindingStatus.FIXED: "fixed",
    FindingStatus.IGNORED: "ignored",
}
"""Statuses of findings that are listed in a line each: they were told before."""


def review_markdown(result: ReviewResult, language: str) -> str:
    return "\n".join([*_document(result, language if language == "zh" else "en"), ""])


def _document(result: ReviewResult, language: str) -> Iterator[str]:
    def text(name: str, **values: object) -> str:
        return _TEXTS[name][language].format(**values)

    yield f"# {text('title')}{f': {escaped(result.subject)}' if result.subject else ''}"
    yield ""
    stats = result.stats
    yield counts_line(result, language)
    words = {
        "file_word": "file" if stats.files == 1 else "files",
        "line_word": "line" if stats.added == 1 else "lines",
    }
    yield text("read", files=stats.files, added=stats.added, deleted=stats.deleted, **words)
    if not result.complete:
        yield text("incomplete")
    for finding in result.findings:
        if finding.status not in _SHORT:
            yield from _finding(finding, language)
    for status, name in _SHORT.items():
        yield from _list(text(name), [one for one in result.findings if one.status is status], language)
    if result.requirements is not None:
        yield from _requirements(result.requirements, language)
    if left_out := reasons(result.ledger):
        yield from ("", f"## {text('not_reviewed')}", "")
        for reason, paths in left_out.items():
            shown = ", ".join(map(code, paths[:_LISTED_PATHS]))
            more = len(paths) - _LISTED_PATHS
            yield f"- {escaped(reason)}: {shown}{', ' + text('more', count=more) if more > 0 else ''}"


def _requirements(requirements: Sequence[TracedRequirement], language: str) -> Iterator[str]:
    yield from ("", f"## {_TEXTS['requirements'][language]}", "")
    for one in requirements:
        places = ", ".join(code(f"{shown.path}:{shown.line}") for shown in one.evidence)
        where = f" ({places})" if places else ""
        yield f"- {escaped(one.id)} **{_MET[one.status][language]}**{where}: {escaped(one.statement)}"


def counts_line(result: ReviewResult, language: str) -> str:
    counts = [
        f"{count} {SEVERITY_WORDS[severity][language]}"
        for severity, count in result.severities.items()
        if count
    ]
    name = ("found_one" if len(result.open) == 1 else "found") if counts else "nothing"
    if not counts and result.ledger and not result.hunks_reviewed:
        name = "nothing_read"
    line = _TEXTS[name][language].format(count=len(result.open), list=", ".join(counts))
    if not result.stats.left_out:
        return line
    return f"{line} {_TEXTS['left_out'][language].format(count=result.stats.left_out)}"


def _finding(finding: Finding, language: str) -> Iterator[str]:
    severity = SEVERITY_WORDS[finding.severity][language]
    yield from ("", f"## {code(finding.place)}: {escaped(finding.title)}", "")
    yield f"{severity}, {finding.category}" + (
        "" if finding.line else f"; {_TEXTS['no_line'][language].format(reason=finding.unanchored)}"
    )
    if finding.quote.strip():
        yield from ("", *fenced(finding.quote))
    if finding.body:
        yield from ("", quoted(finding.body))
    if finding.suggestion:
        yield from ("", _TEXTS["suggestion"][language], "", *fenced(finding.suggestion.replacement))


def _list(title: str, findings: Sequence[Finding], language: str) -> Iterator[str]:
    if not findings:
        return
    yield from ("", f"## {title}", "")
    for one in findings:
        yield f"- {code(one.place)} ({SEVERITY_WORDS[one.severity][language]}): {escaped(one.title)}"


_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&@])")
"""@ would notify people on a host, <> begins HTML."""


def escaped(text: str) -> str:
    """One line of plain text."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def quoted(text: str) -> str:
    """Paragraphs of plain text."""
    return "\n".join(_SPECIAL.sub(r"\\\1", line.strip()) for line in text.splitlines())


def code(text: str) -> str:
    """In a line: as code, whatever it contains."""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(text: str) -> Sequence[str]:
    fence = "`" * (1 + max(2, *(len(run) for run in re.findall(r"`+", text)), 2))
    return (fence, text.rstrip("\n"), fence)
