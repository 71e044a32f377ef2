"""What a person is told in each status. Chinese where the original design gives Chinese."""

from __future__ import annotations

from gencode.domain.task import PENDING
from gencode.pipelines.generate.stages import CREATING_REPO, GENERATING, MERGING, PUSHING

LANGUAGES = ("en", "zh")

_TEXTS: dict[str, dict[str, str]] = {
    PENDING: {"en": "Task created successfully", "zh": "任务已创建"},
    GENERATING: {"en": "Generating code with {model}...", "zh": "正在生成代码（{model}）..."},
    MERGING: {"en": "Joining and checking files...", "zh": "正在拼接和处理文件..."},
    CREATING_REPO: {"en": "Creating the repository...", "zh": "正在创建{host}仓库..."},
    PUSHING: {"en": "Pushing the code...", "zh": "正在推送代码..."},
    "completed": {"en": "Task completed successfully", "zh": "完成"},
    "cancelled": {"en": "Cancelled", "zh": "已取消"},
}

_AS_DESIGNED = ("", "github", "local")
"""Hosts of which the design's own words speak; the local forge plays GitHub."""

_OFFLINE = {
    "en": " (no model key is configured: the built-in offline model answers, which writes from templates"
    " and is not a language model)",
    "zh": "（未配置模型密钥：由内置的 offline 模板模型代答，它不是大语言模型）",
}

_CACHED = {
    "en": " (plan and files are taken from your task {task_id}, {how}; no model was asked for them)",
    "zh": "（计划和文件取自您的任务 {task_id}：{how}，未调用模型）",
}
_SAME = {"en": "which had the same prompt", "zh": "提示词相同"}
_SIMILAR = {"en": "whose prompt is {percent} % similar", "zh": "提示词相似度 {percent} %"}
_APPROVE = {
    "en": "The plan is ready: waiting for your approval",
    "zh": "计划已就绪，等待您的批准",
}

_LEFT_BEHIND = {
    "en": "; the repository {repo_url} exists already and is left as it is",
    "zh": "；仓库 {repo_url} 已经创建，保持原样",
}


def status_text(status: str, language: str, model: str, host: str = "") -> str:
    name = "GitHub" if host in _AS_DESIGNED else f" {host} "
    return _TEXTS[status][language].format(model=model, host=name)


def offline_note(language: str) -> str:
    """Added when a model was asked for, none is configured, and the embedded one stands in."""
    return _OFFLINE[language]


def cached_note(language: str, task_id: str, similarity: float) -> str:
    """Added wherever an earlier task stands in for the model. Rounded down: 99.9 % is not the same."""
    how = _SAME if similarity >= 1 else _SIMILAR
    words = how[language].format(percent=int(similarity * 100))
    return _CACHED[language].format(task_id=task_id, how=words)


def approval_text(language: str) -> str:
    return _APPROVE[language]


def left_behind(language: str, repo_url: str) -> str:
    return _LEFT_BEHIND[language].format(repo_url=repo_url)
