"""The stages of the kind, and its messages in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.domain.task import PENDING

READING, INDEXING, ENCODING = "reading", "indexing", "encoding"
STAGE_TITLES: Mapping[str, Mapping[str, str]] = {
    READING: {"en": "Reading the document", "zh": "读取文档"},
    INDEXING: {"en": "Splitting and indexing the text", "zh": "切分并索引文本"},
    ENCODING: {"en": "Making vectors", "zh": "生成向量"},
}
MESSAGES: Mapping[str, Mapping[str, str]] = {
    PENDING: {"en": "{name} waits to be indexed", "zh": "{name} 等待索引"},
    READING: {"en": "Reading {name}...", "zh": "正在读取 {name}..."},
    INDEXING: {"en": "Indexing {name}...", "zh": "正在索引 {name}..."},
    ENCODING: {"en": "Making vectors of {name}...", "zh": "正在为 {name} 生成向量..."},
    "completed": {"en": "{name} is indexed", "zh": "{name} 已完成索引"},
    "cancelled": {"en": "Indexing {name} was cancelled", "zh": "已取消索引 {name}"},
}
