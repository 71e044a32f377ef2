"""The messages of a task, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.domain.task import PENDING, Task
from gencode.pipelines.code_review.names import COLLECTING, DELIVERING, JUDGING, POSTING, REVIEWING

_TEXTS: Mapping[str, Mapping[str, str]] = {
    PENDING: {"en": "The review is accepted", "zh": "代码评审已接受"},
    COLLECTING: {"en": "Reading the diff", "zh": "正在读取差异"},
    REVIEWING: {"en": "{model} reviews the changes", "zh": "{model} 正在评审改动"},
    JUDGING: {"en": "Merging and ranking the findings", "zh": "正在合并并排序问题"},
    DELIVERING: {"en": "Writing the result", "zh": "正在写入结果"},
    POSTING: {
        "en": "Posting the review to change request {change}",
        "zh": "正在将评审发布到变更请求 {change}",
    },
    "completed": {"en": "The review is done", "zh": "评审完成"},
    "cancelled": {"en": "The review is cancelled", "zh": "评审已取消"},
}
_FOUND = {
    "en": ": {findings} findings ({critical} critical, {major} major)",
    "zh": "：{findings} 个问题（严重 {critical}，重要 {major}）",
}
_FOUND_ONE = {**_FOUND, "en": ": 1 finding ({critical} critical, {major} major)"}
_NOTHING = {"en": ": nothing was found", "zh": "：未发现问题"}
_NOTHING_READ = {
    "en": ": nothing was reviewed, because rules leave out the whole change; the ledger names them",
    "zh": "：未评审任何内容，因为规则排除了全部改动，原因见清单",
}
_LEFT_OUT = {
    "en": ". By max_findings, {left_out} more were left out",
    "zh": "。另有 {left_out} 个问题超出 max_findings，未列出",
}
_INCOMPLETE = {
    "en": ". Not everything was reviewed: the ledger says what was left out, and why",
    "zh": "。并非全部内容都已评审：清单列出了遗漏的部分及原因",
}


_UNRESOLVED = {
    "en": ". Threads of findings that are closed could not be resolved: {reason}",
    "zh": "。部分已关闭问题的讨论未能标记为已解决：{reason}",
}


def message(task: Task, status: str) -> str:
    change = (task.parameters.get("post") or {}).get("change", "")
    text = _TEXTS[status][task.language].format(model=task.parameters.get("model", ""), change=change)
    summary: Mapping[str, Any] | None = task.result.get("review")
    if status != "completed" or not summary:
        return text
    found = {0: _NOTHING, 1: _FOUND_ONE}.get(summary["findings"], _FOUND)
    if summary.get("hunks_reviewed") == 0 and summary["complete"] and not summary["findings"]:
        found = _NOTHING_READ
    text += found[task.language].format(**summary)
    if summary.get("left_out"):
        text += _LEFT_OUT[task.language].format(**summary)
    if not summary["complete"]:
        text += _INCOMPLETE[task.language]
    if reason := (task.result.get("posted") or {}).get("unresolved"):
        text += _UNRESOLVED[task.language].format(reason=reason)
    return text


def first_message(language: str) -> str:
    return _TEXTS[PENDING][language]


_KEPT = {"en": " A retry posts the review, which is kept.", "zh": " 评审已保留，重试只会发布它。"}


def _advice(en: str, zh: str) -> Mapping[str, str]:
    return {"en": en + _KEPT["en"], "zh": zh + _KEPT["zh"]}


POST_ADVICE: Mapping[str, Mapping[str, str]] = {
    "HOST_AUTH": _advice(
        "Give the repository's Git credential a token that is valid.", "请为仓库的 Git 凭证填写有效的令牌。"
    ),
    "HOST_FORBIDDEN": _advice(
        "Grant the credential's token what the message names.", "请授予凭证令牌消息中提到的权限。"
    ),
    "HOST_RATE_LIMIT": _advice("Wait as long as the message says.", "请按消息所说的时间等待。"),
    "HOST_UNAVAILABLE": _advice("The host does not work now: wait.", "托管平台暂时不可用，请稍候。"),
    "HOST_NETWORK": _advice("The host cannot be reached now: wait.", "暂时无法连接托管平台，请稍候。"),
    "HOST_PROTOCOL": _advice("Check the address of the credential.", "请检查凭证的地址。"),
    "CHANGE_UNKNOWN": _advice(
        "Check that the credential's token may see the change request; another number needs a new review.",
        "请检查凭证的令牌是否有权查看该变更请求；编号有误时需重新提交评审。",
    ),
    "CHANGE_CLOSED": _advice("Open the change request again.", "请重新打开该变更请求。"),
    "POSTING_REFUSED": _advice("Do what the host's message asks for.", "请按托管平台的消息处理。"),
    "POSTING_UNAVAILABLE": _advice(
        "Choose an active repository with a credential of GitHub, GitLab, Gitea or Forgejo.",
        "请使用已启用的仓库，并选择 GitHub、GitLab、Gitea 或 Forgejo 的凭证。",
    ),
}
"""By error code: what a user can do when a review could not be posted."""
