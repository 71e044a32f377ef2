"""Messages of this kind, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.domain.task import PENDING, Task
from gencode.pipelines.test_generation.names import COLLECTING, PUSHING, VERIFYING, WRITING

Texts = Mapping[str, str]
OFF: Texts = {
    "en": " The sandbox is off: tests are delivered without being run.",
    "zh": "沙箱已关闭：测试不会运行即交付。",
}
_MESSAGES: Mapping[str, Texts] = {
    PENDING: {
        "en": "The task is accepted; {model} writes the tests.",
        "zh": "任务已接受，由 {model} 编写测试。",
    },
    COLLECTING: {"en": "Looking for the functions to test", "zh": "正在查找要测试的函数"},
    WRITING: {"en": "{model} writes tests", "zh": "{model} 正在编写测试"},
    VERIFYING: {"en": "Checking the tests", "zh": "正在检验测试"},
    PUSHING: {"en": "Pushing the tests to a new branch", "zh": "正在将测试推送到新分支"},
    "failed": {"en": "The task failed", "zh": "任务失败"},
    "cancelled": {"en": "The task was cancelled", "zh": "任务已取消"},
}
_DONE: Texts = {
    "en": "Tests: {tests}, files: {files}, discarded: {discarded}",
    "zh": "共 {tests} 个测试，{files} 个文件；舍弃 {discarded} 个",
}
_UNVERIFIED: Texts = {"en": "; unverified: {reason}", "zh": "；未经验证：{reason}"}
_BRANCH: Texts = {"en": "; on the branch {branch}", "zh": "；位于分支 {branch}"}
_REASONS_ZH = {"the sandbox is off": "沙箱已关闭"}


def message(task: Task, status: str, is_off: bool) -> str:
    """`is_off`: whether tests will not be run."""
    language = task.language
    if status == "completed":
        return _completed(task)
    text = _MESSAGES.get(status, _MESSAGES["failed"])[language]
    note = OFF[language] if status == PENDING and is_off else ""
    return text.format(model=task.parameters.get("model", "")) + note


def accepted(language: str, model: str, is_off: bool) -> str:
    return _MESSAGES[PENDING][language].format(model=model) + (OFF[language] if is_off else "")


def _completed(task: Task) -> str:
    found, language = task.result, task.language
    text = _DONE[language].format(
        tests=found.get("tests", 0),
        files=found.get("test_files", 0),
        discarded=found.get("discarded_tests", 0),
    )
    if found.get("verification") == "unverified":
        reason = str(found.get("verification_reason", ""))
        shown = _REASONS_ZH.get(reason, reason) if language == "zh" else reason
        text += _UNVERIFIED[language].format(reason=shown)
    if found.get("branch"):
        text += _BRANCH[language].format(branch=found["branch"])
    return text
