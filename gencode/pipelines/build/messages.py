"""Messages of this kind, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.domain.task import PENDING, Task
from gencode.pipelines.build.names import ARCHIVING, RENDERING, WRITING

Texts = Mapping[str, str]
STAGE_TITLES: Mapping[str, Texts] = {
    RENDERING: {"en": "Rendering the templates", "zh": "渲染模板"},
    WRITING: {"en": "Writing business flows", "zh": "编写业务流程"},
    ARCHIVING: {"en": "Making the archive", "zh": "打包归档"},
}
_MESSAGES: Mapping[str, Texts] = {
    PENDING: {"en": "The blueprint will be built", "zh": "蓝图等待构建"},
    **STAGE_TITLES,
    "failed": {"en": "The task failed", "zh": "任务失败"},
    "cancelled": {"en": "The build was cancelled", "zh": "构建已取消"},
}
_DONE: Texts = {"en": "The project is ready: {files} files", "zh": "项目已就绪，共 {files} 个文件"}
_UNVERIFIED: Texts = {"en": "; unverified: {reason}", "zh": "；未经验证：{reason}"}
_REASONS_ZH: Texts = {}


def text_of(status: str, language: str) -> str:
    return _MESSAGES.get(status, _MESSAGES["failed"])[language]


def message(task: Task, status: str) -> str:
    language = task.language
    if status != "completed":
        return text_of(status, language)
    text = _DONE[language].format(files=task.result.get("file_count", 0))
    if task.result.get("qa_status") != "verified":
        reason = str(task.result.get("qa_reason", ""))
        shown = _REASONS_ZH.get(reason, reason) if language == "zh" else reason
        text += _UNVERIFIED[language].format(reason=shown)
    return text
