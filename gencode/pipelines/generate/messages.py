"""The messages of a task, in English and Chinese. The Chinese texts are those of the original design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gencode.domain.task import PENDING
from gencode.pipelines.generate.stage_names import CREATING_REPO, GENERATING, MERGING, PUSHING

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

_HOST_NAMES = {"": "GitHub", "github": "GitHub", "local": ""}
"""How messages name hosts; others by their names. The original design knew GitHub only."""

_TEMPLATE = {
    "en": ' (not written for the prompt: it is the template "{name}", {title}{nearest}. {cause})',
    "zh": "（并非按描述编写，而是模板“{name}”：{title}{nearest}。{cause}）",
}
_NEAREST = {
    "en": "; no template has {other}, this is the nearest",
    "zh": "；没有 {other} 的模板，这是最接近的一个",
}
_NO_MODEL = {
    "en": "No language model is configured: set DEEPSEEK_API_KEY, OPENAI_API_KEY or PROVIDERS, start the"
    " service again, and submit a new task",
    "zh": "未配置语言模型：请设置 DEEPSEEK_API_KEY、OPENAI_API_KEY 或 PROVIDERS，重新启动服务，再提交新任务",
}
_NO_LANGUAGE_MODEL = {
    "en": 'The model "{model}" is not a language model: name another one in a new task',
    "zh": "模型“{model}”不是语言模型：请在新任务中指定其他模型",
}

_CACHED = {
    "en": " (plan and files are taken from your task {task_id}, {how}; no model was asked for them)",
    "zh": "（计划和文件取自您的任务 {task_id}：{how}，未调用模型）",
}
_SAME_PROMPT = {"en": "which had the same prompt", "zh": "提示词相同"}
_SIMILAR_PROMPT = {"en": "whose prompt is {percent} % similar", "zh": "提示词相似度 {percent} %"}
_APPROVE = {
    "en": "The plan is ready: waiting for your approval",
    "zh": "计划已就绪，等待您的批准",
}

_LEFT_BEHIND = {
    "en": "; the repository {repo_url} exists already and is left as it is",
    "zh": "；仓库 {repo_url} 已经创建，保持原样",
}


def status_text(status: str, language: str, model: str, host: str = "") -> str:
    name = _HOST_NAMES.get(host, f" {host} ")
    return _TEXTS[status][language].format(model=model, host=name)


def template_note(language: str, template: Mapping[str, Any], model: str) -> str:
    """Added when the project is a template. `template`: as TaskTemplate in JSON."""
    other = str(template["nearest_to"] or "")
    cause = _NO_MODEL if template["is_fallback"] else _NO_LANGUAGE_MODEL
    return _TEMPLATE[language].format(
        name=template["name"],
        title=template["title"][language],
        nearest=_NEAREST[language].format(other=other) if other else "",
        cause=cause[language].format(model=model),
    )


def cached_note(language: str, task_id: str, similarity: float) -> str:
    """Added when the plan and files come from an earlier task. Rounded down: 99.9 % is not the same."""
    how = _SAME_PROMPT if similarity >= 1 else _SIMILAR_PROMPT
    text = how[language].format(percent=int(similarity * 100))
    return _CACHED[language].format(task_id=task_id, how=text)


def approval_text(language: str) -> str:
    """The message of a task that waits for approval of its plan."""
    return _APPROVE[language]


def repository_kept_note(language: str, repo_url: str) -> str:
    """Added to a cancelled task whose repository exists already."""
    return _LEFT_BEHIND[language].format(repo_url=repo_url)
