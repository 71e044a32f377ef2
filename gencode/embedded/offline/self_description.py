"""What the offline model says of itself."""

from __future__ import annotations

from gencode.embedded.offline.openai_protocol import MODEL

SELF_DESCRIPTION = (
    f"I am {MODEL}, the offline model of gencode. I am not a language model: I only look for words I know in "
    "a project request and produce one of a few small project templates (Flask, FastAPI, Express, Go, "
    "command line, static page). I cannot talk about anything else. Connect gencode to a language model "
    "for answers to questions."
)
SELF_DESCRIPTION_ZH = (
    f"我是 gencode 的离线模型 {MODEL}，不是语言模型：我只在项目需求中查找认识的词，然后给出几个小项目模板之一"
    "（Flask、FastAPI、Express、Go、命令行工具、静态页面），无法谈论其他内容。"
    "需要回答问题时，请为 gencode 配置语言模型。"
)


def self_description(*, in_chinese: bool) -> str:
    return SELF_DESCRIPTION_ZH if in_chinese else SELF_DESCRIPTION
