"""The messages of a task, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.domain.task import PENDING, Task
from gencode.pipelines.code_review.names import COLLECTING, DELIVERING, JUDGING, REVIEWING

_TEXTS: Mapping[str, Mapping[str, str]] = {
    PENDING: {"en": "The review is accepted", "zh": "代码评审已接受"},
    COLLECTING: {"en": "Reading the diff", "zh": "正在读取差异"},
    REVIEWING: {"en": "{model} reviews the changes", "zh": "{model} 正在评审改动"},
    JUDGING: {"en": "Merging and ranking the findings", "zh": "正在合并并排序问题"},
    DELIVERING: {"en": "Writing the result", "zh": "正在写入结果"},
    "completed": {"en": "The review is done", "zh": "评审完成"},
    "cancelled": {"en": "The review is cancelled", "zh": "评审已取消"},
}
_FOUND = {
    "en": ": {findings} findings ({critical} critical, {major} major)",
    "zh": "：{findings} 个问题（严重 {critical}，重要 {major}）",
}
_NOTHING = {"en": ": nothing was found", "zh": "：未发现问题"}
_INCOMPLETE = {
    "en": ". Not everything was reviewed: the ledger says what was left out, and why",
    "zh": "。并非全部内容都已评审：清单列出了遗漏的部分及原因",
}


def message(task: Task, status: str) -> str:
    text = _TEXTS[status][task.language].format(model=task.parameters.get("model", ""))
    summary: Mapping[str, Any] | None = task.result.get("review")
    if status != "completed" or not summary:
        return text
    text += (_FOUND if summary["findings"] else _NOTHING)[task.language].format(**summary)
    return text + ("" if summary["complete"] else _INCOMPLETE[task.language])


def first_message(language: str) -> str:
    return _TEXTS[PENDING][language]
