"""From a conversation to what the offline model says in it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gencode.embedded.offline.openai_protocol import MODEL, Call, Refusal, Turn
from gencode.embedded.offline.project import Project, UnknownFile
from gencode.embedded.offline.subject import is_chinese

WRITE = "\nWrite this file now: "

WHO = (
    f"I am {MODEL}, the offline model of gencode. I am not a language model: I only look for words I know in "
    "a project request and produce one of a few small project templates (Flask, FastAPI, Express, Go, "
    "command line, static page). I cannot talk about anything else. Connect gencode to a language model "
    "for answers to questions."
)
WHO_ZH = (
    f"我是 gencode 的离线模型 {MODEL}，不是语言模型：我只在项目需求中查找认识的词，然后给出几个小项目模板之一"
    "（Flask、FastAPI、Express、Go、命令行工具、静态页面），无法谈论其他内容。"
    "需要回答问题时，请为 gencode 配置语言模型。"
)


def answer(call: Call) -> str:
    """What there is to say after the last turn. Deterministic: the same turns give the same text.

    Where the assistant has begun already (a prefix, or a cut answer that it is asked to go on with), the
    text goes on exactly there. Raises Refusal for a file that the request's template does not have.
    """
    whole, said = _whole(call)
    return whole.removeprefix(said)


def _whole(call: Call) -> tuple[str, str]:
    """The complete answer, and what the assistant has said of it."""
    turns = call.turns
    for index in reversed(range(len(turns))):
        text = _to_prompt(turns[: index + 1])
        if text is not None:
            return text, "".join(turn.content for turn in turns[index + 1 :] if turn.role == "assistant")
    begun = turns[-1].content if turns[-1].role == "assistant" else ""
    return _to_chat(call), begun


def _to_prompt(turns: Sequence[Turn]) -> str | None:
    """The answer when the last of `turns` is one of gencode's two prompts."""
    asked = turns[-1]
    request = _request(asked.content)
    if asked.role != "user" or request is None:
        return None
    path = _path(asked.content)
    if path is not None:
        return _file(Project.of(request), path)
    return Project.of(request).plan() if _plans(turns) else None


def _request(text: str) -> str | None:
    """What stands between the outermost tags: the request itself may hold such tags too."""
    _, opened, rest = text.partition("<request>")
    inner, closed, _ = rest.rpartition("</request>")
    return inner.strip() if opened and closed else None


def _path(text: str) -> str | None:
    """The path on the last line of a file prompt, which no request reaches: its end tag comes later."""
    _, marker, path = text.rstrip().rpartition(WRITE)
    return path if marker and "\n" not in path else None


def _plans(turns: Sequence[Turn]) -> bool:
    system = "".join(turn.content for turn in turns if turn.role in ("system", "developer"))
    return "JSON object" in system and '"files"' in system


def _file(project: Project, path: str) -> str:
    try:
        return project.file(path)
    except UnknownFile:
        message = f"The offline model's template for this request has no file {path[:200]!r}."
        raise Refusal(message, param="messages", code="unknown_file") from None


def _to_chat(call: Call) -> str:
    asked = next((turn.content for turn in reversed(call.turns) if turn.role == "user"), "")
    text = WHO_ZH if is_chinese(asked) else WHO
    return json.dumps({"answer": text}, ensure_ascii=False) if call.json else text
