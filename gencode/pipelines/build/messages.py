"""Messages of this kind, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.certification.reasons import in_chinese
from gencode.domain.task import PENDING, Task
from gencode.pipelines.build.names import (
    APPROVING,
    ARCHIVING,
    CREATING_REPO,
    PUSHING,
    RENDERING,
    UPDATING,
    VERIFYING,
    WRITING,
)

Texts = Mapping[str, str]
STAGE_TITLES: Mapping[str, Texts] = {
    RENDERING: {"en": "Rendering the templates", "zh": "渲染模板"},
    APPROVING: {"en": "Looking for steps that may lose data", "zh": "检查可能丢失数据的步骤"},
    WRITING: {"en": "Writing business flows", "zh": "编写业务流程"},
    ARCHIVING: {"en": "Making the archive", "zh": "打包归档"},
    VERIFYING: {"en": "Checking the project", "zh": "检验项目"},
    CREATING_REPO: {"en": "Creating the repository", "zh": "创建仓库"},
    PUSHING: {"en": "Pushing the code", "zh": "推送代码"},
    UPDATING: {"en": "Updating the repository", "zh": "更新仓库"},
}
OFF: Texts = {
    "en": "; the sandbox is off: the project will be unverified",
    "zh": "；沙箱已关闭：项目将不经验证",
}
_MESSAGES: Mapping[str, Texts] = {
    PENDING: {"en": "The blueprint will be built", "zh": "蓝图等待构建"},
    **STAGE_TITLES,
    "failed": {"en": "The task failed", "zh": "任务失败"},
    "cancelled": {"en": "The build was cancelled", "zh": "构建已取消"},
}
_DONE: Texts = {"en": "The project is ready: {files} files", "zh": "项目已就绪，共 {files} 个文件"}
_UNVERIFIED: Texts = {"en": "; unverified: {reason}", "zh": "；未经验证：{reason}"}
_VERIFIED: Texts = {"en": "; verified: {steps} steps passed", "zh": "；已验证：{steps} 个步骤通过"}
_UPDATES: Mapping[str, Texts] = {
    "advanced": {"en": "; pushed to {branch}", "zh": "；已推送到 {branch}"},
    "branch": {
        "en": "; on the branch {branch}, since {reason}",
        "zh": "；位于分支 {branch}，因为{reason}",
    },
    "unchanged": {
        "en": "; nothing was pushed: the files are those that were delivered",
        "zh": "；未推送：文件与已交付的相同",
    },
    "not_pushed": {"en": "; not pushed: {reason}", "zh": "；未推送：{reason}"},
}


_APPROVAL: Texts = {
    "en": "The migration to this version may lose data; approve it to go on: {steps}",
    "zh": "迁移到此版本可能丢失数据，批准后继续：{steps}",
}
_SHOWN_STEPS = 5


def approval_text(steps: Sequence[Mapping[str, str]], language: str) -> str:
    """The question to the person who approves; it names the first steps."""
    mark, end = ("；", "……") if language == "zh" else ("; ", "; ...")
    shown = mark.join(f"{one['step']} ({one['reason']})" for one in steps[:_SHOWN_STEPS])
    return _APPROVAL[language].format(steps=shown + (end if len(steps) > _SHOWN_STEPS else ""))


def accepted(language: str, is_off: bool) -> str:
    return _MESSAGES[PENDING][language] + (OFF[language] if is_off else "")


def _update_text(result: Mapping[str, Any], language: str) -> str:
    """What became of the repository that is updated; "" without one."""
    if not (update := result.get("update")):
        return ""
    reason = update["reason_zh"] if language == "zh" else update["reason"]
    return _UPDATES[update["outcome"]][language].format(branch=update.get("branch"), reason=reason)


def message(task: Task, status: str, is_off: bool) -> str:
    """`is_off`: whether the project will not be run."""
    language, found = task.language, task.result
    if status == PENDING:
        return accepted(language, is_off)
    if status != "completed":
        return _MESSAGES.get(status, _MESSAGES["failed"])[language]
    text = _DONE[language].format(files=found.get("file_count", 0)) + _update_text(found, language)
    if found.get("qa_status") == "verified":
        return text + _VERIFIED[language].format(steps=len(found["qa_report"]["steps"]))
    reason = str(found.get("qa_reason", ""))
    shown = in_chinese(reason) if language == "zh" else reason
    return text + _UNVERIFIED[language].format(reason=shown)
