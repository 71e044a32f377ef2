"""The texts of tasks of kind `sync_repository`."""

from __future__ import annotations

from gencode.domain.task import PENDING, Task

SYNCING = "syncing"
_TEXTS = {
    PENDING: {"en": "The sync of {name} waits in line", "zh": "{name} 的同步正在排队"},
    SYNCING: {"en": "Fetching {name} from its host", "zh": "正在从托管平台获取 {name}"},
    "completed": {
        "en": "{name} is synced; branches: {branches}, new objects: {objects}",
        "zh": "{name} 已同步：{branches} 个分支，{objects} 个新对象",
    },
    "cancelled": {"en": "The sync of {name} was cancelled", "zh": "{name} 的同步已取消"},
}
ADVICE = {
    "GIT_AUTH": {
        "en": "Choose a credential of this host whose token may read the repository; then retry.",
        "zh": "请选择该平台的凭证，其令牌须有权读取此仓库，然后重试。",
    },
    "GIT_NOT_FOUND": {
        "en": "Check the repository's address, and that the token may see it; then retry.",
        "zh": "检查仓库地址以及令牌是否有权查看，然后重试。",
    },
    "GIT_TIMEOUT": {"en": "The host was too slow. Retry later.", "zh": "托管平台响应太慢，稍后重试。"},
    "GIT_PROTOCOL": {
        "en": "Check that the address is a Git repository's; then retry.",
        "zh": "检查该地址是否为 Git 仓库，然后重试。",
    },
    "GIT_REJECTED": {
        "en": "See the message. The operator can allow a network of addresses.",
        "zh": "请看消息。运营者可以放行某个网段。",
    },
}


def message(task: Task, status: str) -> str:
    return _TEXTS[status][task.language].format(
        name=task.parameters.get("repository", ""),
        branches=task.result.get("branches", 0),
        objects=task.result.get("objects", 0),
    )


def waiting(name: str, language: str) -> str:
    """The first message of a sync."""
    return _TEXTS[PENDING][language].format(name=name)
