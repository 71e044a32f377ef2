"""The texts of tasks of kind `code_diff`."""

from __future__ import annotations

from gencode.domain.task import PENDING, Task

SYNCING, COMPARING = "syncing", "comparing"
_TEXTS = {
    PENDING: {"en": "The diff {name} waits in line", "zh": "差异 {name} 正在排队"},
    SYNCING: {"en": "Looking for both commits of {name}", "zh": "正在查找 {name} 的两个提交"},
    COMPARING: {"en": "Comparing {name}", "zh": "正在比较 {name}"},
    "completed": {
        "en": "{name} is compared; files: {files}, lines: +{added} -{deleted}",
        "zh": "{name} 已比较：{files} 个文件，+{added} -{deleted} 行",
    },
    "empty": {
        "en": "{name} is compared: the source has no changes that the target lacks. Were the two exchanged?",
        "zh": "{name} 已比较：来源没有目标所缺少的改动。两者是否填反了？",
    },
    "cancelled": {"en": "The diff {name} was cancelled", "zh": "差异 {name} 已取消"},
}


def message(task: Task, status: str) -> str:
    found = {name: task.result.get(name, 0) for name in ("files", "added", "deleted")}
    text = _TEXTS["empty" if status == "completed" and not found["files"] else status]
    return text[task.language].format(name=task.parameters.get("diff", ""), **found)


def waiting(name: str, language: str) -> str:
    """The first message of a task."""
    return _TEXTS[PENDING][language].format(name=name)
