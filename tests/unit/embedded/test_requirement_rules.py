"""Requirements by rules: in two languages, quoted as they stand, honest about what made them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gencode.embedded.offline.openai_protocol import ChatMessage
from gencode.embedded.offline.rule_answers import rule_answer


def answered(task: str, text: str) -> dict[str, Any]:
    system = ChatMessage(role="system", content=f"Task: {task}\nrules")
    user = ChatMessage(role="user", content=f"Part 1 of 1:\n\n<<<abc\n{text}\nabc>>>\n\nAnswer in JSON.")
    found: dict[str, Any] = json.loads(rule_answer((system, user)) or "")
    assert found["made_by"] == "rules"
    return found


def requirements(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answered("requirement_analysis", text)["requirements"]
    assert all(one["quote"] in text for one in found)
    return found


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        (
            "The system must log in. It is blue. Users shall log out!",
            ["The system must log in.", "Users shall log out!"],
        ),
        ("- Users should see e.g. a list.", ["Users should see e.g. a list."]),
        ("1.2 It needs to answer within 1.5 s.", ["It needs to answer within 1.5 s."]),
        ("系统必须支持导出；界面为蓝色。用户应能退出。", ["系统必须支持导出", "用户应能退出。"]),
        (
            "库存不足时，须通知采购员。日志不能删除；密钥不可外传。",
            ["库存不足时，须通知采购员。", "日志不能删除", "密钥不可外传。"],
        ),
        ("无须登录即可查看。延迟不可避免。", []),
        ("（1）不得保存明文密码", ["不得保存明文密码"]),
        ("| R1 | The page must load. |", ["The page must load."]),
        ("# The title must be left out\ntext", []),
        ("This mustard is yellow. 本应用的响应时间很短。供应商的需求说明。", []),
        ("", []),
    ],
)
def test_sentences_that_demand_something_are_requirements(text: str, statements: list[str]) -> None:
    assert [one["statement"] for one in requirements(text)] == statements


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("It must lock after 5 failed logins.", ['"5 failed logins" is met']),
        ("It must answer within 200 ms for 99.9% of requests.", ['"200 ms" is met', '"99.9%" is met']),
        ("页面必须在3秒内打开，支持 1000 人。", ["满足“3秒”", "满足“1000 人”"]),
        ("It must work.", []),
        ("Step 1 must end within 5 s.", ['"5 s" is met']),
    ],
)
def test_numbers_with_units_are_criteria(text: str, values: list[str]) -> None:
    (one,) = requirements(text)
    assert one["acceptance_criteria"] == values


def test_vague_words_are_questions() -> None:
    (english,) = requirements("The page must be fast and user-friendly.")
    assert [question.split('"')[1] for question in english["open_questions"]] == ["fast", "user-friendly"]
    (chinese,) = requirements("系统应尽快返回结果，界面友好。")
    assert len(chinese["open_questions"]) == 2


def test_types_follow_from_words() -> None:
    text = "It must export data. It must answer in 2 seconds. It must comply with GDPR. 必须只能使用 Java。"
    types = [one["type"] for one in requirements(text)]
    assert types == ["functional", "non_functional", "constraint", "constraint"]


def test_the_same_with_and_without_not_contradict() -> None:
    listed = [
        "1: The system must store passwords.",
        "2: The system must not store passwords.",
        "3: The page must load within 2 s",
        "7: The page should load within 5 s.",
        "8: 系统必须允许导出数据",
        "9: 系统不允许导出数据",
        "10: Something else must happen.",
        "11: Report 1 must load within 3 s.",
        "12: Report 2 must load within 4 s.",
    ]
    found = answered("requirement_contradictions", "\n".join(listed))["contradictions"]
    assert [(one["first"], one["second"]) for one in found] == [(1, 2), (3, 7), (8, 9)]
    assert found[2]["reason"] == "一条要求的内容被另一条禁止"


def test_hostile_text_takes_linear_time() -> None:
    """Counted by what is found, with sizes that a quadratic rule would not end on."""
    for text in ("must " * 40_000, "1" * 100_000, "5 " * 50_000, "应" * 50_000, "." * 100_000, "|" * 100_000):
        answered("requirement_analysis", text)
        answered("requirement_contradictions", "1: " + text)
