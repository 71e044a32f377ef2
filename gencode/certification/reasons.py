"""The reasons of certificates in Chinese. What a program has said in its log stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gencode.certification.certifier import NOT_PREPARED
from gencode.sandbox.off import REASON as SANDBOX_OFF

_WORDS: Mapping[str, str] = {
    SANDBOX_OFF: "沙箱已关闭（SANDBOX）",
    NOT_PREPARED: "尚未为其锁文件准备环境：请运行 `gencode build-environments prepare`",
    "the sandbox cannot show prepared environments (SANDBOX=bubblewrap can)": (
        "沙箱无法提供已准备的环境（SANDBOX=bubblewrap 可以）"
    ),
    "it is not verified yet": "尚未检验",
}
_PATTERNS: Mapping[str, str] = {
    r"the project has not the lock file of the template set (.+)": "项目中没有模板集 {0} 的锁文件",
    r"(.+) is not installed in the sandbox": "沙箱中未安装 {0}",
    r"(\w+): the exit code is (-?\d+)": "{0}：退出码为 {1}",
}


def in_chinese(reason: str) -> str:
    """The reason itself if it has no translation."""
    if found := _WORDS.get(reason):
        return found
    for pattern, words in _PATTERNS.items():
        if match := re.fullmatch(pattern, reason):
            return words.format(*match.groups())
    return reason
