"""Why a project is not verified, in Chinese."""

from __future__ import annotations

import pytest

from gencode.certification.certifier import NOT_PREPARED
from gencode.certification.reasons import in_chinese
from gencode.pipelines.build.qa_report import NOT_YET


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (NOT_PREPARED, "尚未为其锁文件准备环境"),
        (NOT_YET, "尚未检验"),
        ("the project has not the lock file of the template set vue", "项目中没有模板集 vue 的锁文件"),
        ("initdb (postgresql) is not installed in the sandbox", "沙箱中未安装 initdb (postgresql)"),
        ("tests: the exit code is 1", "tests：退出码为 1"),
    ],
)
def test_reasons_have_chinese_words(reason: str, words: str) -> None:
    assert in_chinese(reason).startswith(words)


def test_what_a_program_has_said_stays() -> None:
    assert in_chinese("crud: no record {0} was found") == "crud: no record {0} was found"
