"""What users are told, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.domain.task import PENDING
from gencode.pipelines.blueprint.names import COLLECTING, DELIVERING, DETAILING, OUTLINING, REPAIRING

MESSAGES: Mapping[str, Mapping[str, str]] = {
    PENDING: {"en": "The requirements will be made a blueprint", "zh": "需求等待解析为蓝图"},
    COLLECTING: {"en": "Reading the requirements", "zh": "正在读取需求"},
    OUTLINING: {"en": "Outlining the application", "zh": "正在规划应用结构"},
    DETAILING: {"en": "Describing data models, pages and flows", "zh": "正在设计数据模型、页面和流程"},
    REPAIRING: {"en": "Checking the blueprint and mending errors", "zh": "正在校验蓝图并修正错误"},
    DELIVERING: {"en": "Storing the blueprint", "zh": "正在保存蓝图"},
    "completed": {"en": "The blueprint is ready as a draft", "zh": "蓝图草稿已生成"},
    "proposed": {
        "en": "The change of the blueprint is proposed: accept or reject it",
        "zh": "蓝图修改建议已生成，请接受或拒绝",
    },
    "incomplete": {
        "en": "The blueprint is ready; parts of it are missing or have errors, see its findings",
        "zh": "蓝图已生成，部分内容缺失或有错误，请查看校验结果",
    },
    "cancelled": {"en": "The parsing of the requirements was cancelled", "zh": "需求解析已取消"},
}
STAGE_TITLES: Mapping[str, Mapping[str, str]] = {
    COLLECTING: {"en": "Reading the requirements", "zh": "读取需求"},
    OUTLINING: {"en": "Outlining the application", "zh": "规划应用结构"},
    DETAILING: {"en": "Describing its parts", "zh": "设计各部分"},
    REPAIRING: {"en": "Checking and mending", "zh": "校验与修正"},
    DELIVERING: {"en": "Storing the blueprint", "zh": "保存蓝图"},
}
