"""What users are told, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.domain.task import PENDING
from gencode.pipelines.requirement_analysis.work import ANALYSING, COLLECTING, DELIVERING

MESSAGES: Mapping[str, Mapping[str, str]] = {
    PENDING: {"en": "The document will be analysed", "zh": "文档等待分析"},
    COLLECTING: {"en": "Reading the document", "zh": "正在读取文档"},
    ANALYSING: {"en": "Finding requirements, section by section", "zh": "正在逐节分析需求"},
    DELIVERING: {"en": "Storing the requirements", "zh": "正在保存需求"},
    "completed": {"en": "The requirements are ready", "zh": "需求分析已完成"},
    "incomplete": {
        "en": "The requirements are ready; some sections could not be analysed",
        "zh": "需求分析已完成，部分章节未能分析",
    },
    "cancelled": {"en": "The analysis was cancelled", "zh": "需求分析已取消"},
}
STAGE_TITLES: Mapping[str, Mapping[str, str]] = {
    COLLECTING: {"en": "Reading the document", "zh": "读取文档"},
    ANALYSING: {"en": "Finding requirements", "zh": "分析需求"},
    DELIVERING: {"en": "Storing the requirements", "zh": "保存需求"},
}
