"""The texts of a task's status."""

from __future__ import annotations

import pytest

from gencode.pipelines.generate.messages import status_text


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("github", "正在创建GitHub仓库..."),
        ("", "正在创建GitHub仓库..."),
        ("local", "正在创建仓库..."),
        ("gitee", "正在创建 gitee 仓库..."),
    ],
)
def test_the_chinese_text_names_the_host_of_the_repository(host: str, text: str) -> None:
    """The local forge is no GitHub; a task without a host is from a version that had GitHub only."""
    assert status_text("creating_repo", "zh", "m", host) == text
