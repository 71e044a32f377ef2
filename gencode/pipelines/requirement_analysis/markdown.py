"""An analysis as Markdown, in the language of its document. Texts of the model are text: they make no links,
headings or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gencode.workspace.requirement_documents.requirement import (
    Analysis,
    PartStatus,
    Requirement,
    RequirementType,
)

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~]")
_LINE_START = re.compile(r"^(\d{0,9})([#+\-=>.)])")
"""What makes a line a heading, a quote or an item of a list: the mark, which may follow a number."""

_EN: Mapping[str, str] = {
    RequirementType.FUNCTIONAL: "Functional requirements",
    RequirementType.NON_FUNCTIONAL: "Non-functional requirements",
    RequirementType.CONSTRAINT: "Constraints",
    "criteria": "Acceptance criteria",
    "questions": "Open questions",
    "tests": "Test points",
    "contradictions": "Contradictions",
    "source": "Source",
    "unverified": "not found in the document in these words",
    "none": "None were found.",
    "coverage": "What was analysed",
    "part": "Part",
    "section": "Section",
    "state": "State",
    "count": "Requirements",
    "comparison": "Contradictions among all requirements",
    "by_rules": "Made by the rules of the offline model, which do not understand the text: sentences with "
    "words such as must, shall and should.",
    "incomplete": "This analysis is not complete: see the table at its end.",
    "left_out": "{count} further requirements were left out: a document may have {most}.",
    PartStatus.ANALYSED: "analysed",
    PartStatus.CUT: "partly",
    PartStatus.FAILED: "failed",
    PartStatus.OVER_BUDGET: "over budget",
}
_ZH: Mapping[str, str] = {
    RequirementType.FUNCTIONAL: "功能需求",
    RequirementType.NON_FUNCTIONAL: "非功能需求",
    RequirementType.CONSTRAINT: "约束",
    "criteria": "验收标准",
    "questions": "待澄清问题",
    "tests": "测试要点",
    "contradictions": "矛盾之处",
    "source": "原文",
    "unverified": "文档中未找到与此完全一致的文字",
    "none": "未发现。",
    "coverage": "分析范围",
    "part": "部分",
    "section": "章节",
    "state": "状态",
    "count": "需求数",
    "comparison": "全部需求之间的矛盾",
    "by_rules": "由离线模型的规则生成，规则并不理解文意，只识别含有“必须”“应”“需要”等词的句子。",
    "incomplete": "本次分析不完整，详见文末表格。",
    "left_out": "另有 {count} 条需求未列出，每个文档最多 {most} 条。",
    PartStatus.ANALYSED: "已分析",
    PartStatus.CUT: "部分分析",
    PartStatus.FAILED: "失败",
    PartStatus.OVER_BUDGET: "超出预算",
}


def report_markdown(analysis: Analysis) -> str:
    """All of the analysis: requirements with their sources, contradictions, questions, and the ledger."""
    words = _words(analysis)
    lines = [*_head(analysis, words), *_requirements(analysis, words, with_source=True)]
    lines += [f"## {words['contradictions']}", "", *_contradictions(analysis, words), ""]
    if analysis.open_questions:
        lines += [f"## {words['questions']}", "", *_items(analysis.open_questions), ""]
    return "\n".join([*lines, *_coverage(analysis, words)]).rstrip() + "\n"


def document_markdown(analysis: Analysis) -> str:
    """The requirements as a document of their own: what `optimized_content` is."""
    words = _words(analysis)
    lines = [*_head(analysis, words), *_requirements(analysis, words, with_source=False)]
    return "\n".join(lines).rstrip() + "\n"


def _words(analysis: Analysis) -> Mapping[str, str]:
    return _ZH if analysis.language == "zh" else _EN


def _head(analysis: Analysis, words: Mapping[str, str]) -> Iterator[str]:
    yield from (f"# {_text(analysis.document_name)}", "")
    if analysis.by_rules:
        yield from (f"> {words['by_rules']}", "")
    if not analysis.is_complete:
        yield from (f"> {words['incomplete']}", "")


def _requirements(analysis: Analysis, words: Mapping[str, str], *, with_source: bool) -> Iterator[str]:
    for kind in RequirementType:
        of_kind = [one for one in analysis.requirements if one.type is kind]
        if of_kind:
            yield from (f"## {words[kind]}", "")
        for one in of_kind:
            yield from (f"### {one.id}", "", _text(one.statement), "")
            yield from _source(one, words) if with_source else ()
            yield from _details(one, words)
    if not analysis.requirements:
        yield from (words["none"], "")


def _source(one: Requirement, words: Mapping[str, str]) -> Iterator[str]:
    note = "" if one.source.is_verified else f" ({words['unverified']})"
    where = f" \\[{_text(one.source.section)}\\]" if one.source.section else ""
    if one.source.text:
        yield from (f"> {words['source']}{where}{note}: {_text(one.source.text)}", "")


def _details(one: Requirement, words: Mapping[str, str]) -> Iterator[str]:
    for title, texts in (
        ("criteria", one.acceptance_criteria),
        ("questions", one.open_questions),
        ("tests", one.test_points),
    ):
        if texts:
            yield from (f"{words[title]}:", "", *_items(texts), "")


def _contradictions(analysis: Analysis, words: Mapping[str, str]) -> list[str]:
    found = [f"- {one.first} / {one.second}: {_text(one.reason)}" for one in analysis.contradictions]
    return found or [words["none"]]


def _coverage(analysis: Analysis, words: Mapping[str, str]) -> Iterator[str]:
    yield from (f"## {words['coverage']}", "")
    yield f"| {words['part']} | {words['section']} | {words['state']} | {words['count']} |"
    yield "|---|---|---|---|"
    for part in analysis.parts:
        yield _row(str(part.number), part.section, part.status, part.message, str(part.requirements), words)
    compared = analysis.comparison
    yield _row("", words["comparison"], compared.status, compared.message, str(compared.compared), words)
    if analysis.left_out:
        most = len(analysis.requirements)
        yield from ("", words["left_out"].format(count=analysis.left_out, most=most))


def _row(
    number: str, section: str, status: PartStatus, message: str | None, count: str, words: Mapping[str, str]
) -> str:
    state = f"{words[status]}: {_text(message)}" if message else words[status]
    return f"| {number} | {_text(section)} | {state} | {count} |"


def _items(texts: Sequence[str]) -> list[str]:
    return [f"- {_text(text)}" for text in texts]


def _text(text: str) -> str:
    """One line of plain text."""
    line = _SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
    return _LINE_START.sub(r"\1\\\2", line)
