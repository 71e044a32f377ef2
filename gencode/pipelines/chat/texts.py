"""The kind's texts in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.domain.task import FINAL_STATUSES, PENDING

NAME = "chat"
COLLECTING, ANSWERING, DELIVERING = "collecting", "answering", "delivering"
COMPLETED, _, CANCELLED = FINAL_STATUSES

TITLE = {"en": "Answer in a conversation", "zh": "对话回答"}
STAGE_TITLES = {
    COLLECTING: {"en": "Collecting messages", "zh": "收集消息"},
    ANSWERING: {"en": "Answering", "zh": "正在回答"},
    DELIVERING: {"en": "Storing the answer", "zh": "保存回答"},
}
MESSAGES: Mapping[str, Mapping[str, str]] = {
    PENDING: {"en": "The message is accepted", "zh": "消息已接受"},
    COLLECTING: {"en": "Collecting the messages of the conversation", "zh": "正在收集对话消息"},
    ANSWERING: {"en": "The model is answering", "zh": "模型正在回答"},
    DELIVERING: {"en": "Storing the answer", "zh": "正在保存回答"},
    COMPLETED: {"en": "Answered", "zh": "已回答"},
    CANCELLED: {"en": "Stopped; the text so far is kept", "zh": "已停止，已有文字保留"},
}
