"""Computes the text that the offline model answers to a conversation."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gencode.embedded.offline.openai_protocol import ApiError, ChatMessage, ChatRequest
from gencode.embedded.offline.request_summary import is_chinese
from gencode.embedded.offline.rule_answers import rule_answer
from gencode.embedded.offline.self_description import self_description
from gencode.embedded.offline.template_project import TemplateProject, UnknownFile

FILE_PROMPT_MARKER = "\nWrite this file now: "
"""Ends each prompt of `gencode.codegen.prompts.file_messages`, followed by the path of the file."""


def completion_text(chat_request: ChatRequest) -> str:
    """The text after the last message. Deterministic: the same messages give the same text.

    If the conversation has the beginning of the answer (an assistant prefix, or a truncated answer that the
    client asks to continue), the text continues exactly there. Raises ApiError for a file that the request's
    template does not have.
    """
    answer, sent = _complete_answer(chat_request)
    return answer.removeprefix(sent)


def _complete_answer(chat_request: ChatRequest) -> tuple[str, str]:
    """The complete answer, and the beginning of it that is in the conversation already."""
    messages = chat_request.messages
    for index in reversed(range(len(messages))):
        text = _answer_to_prompt(messages[: index + 1])
        if text is not None:
            later = messages[index + 1 :]
            return text, "".join(message.content for message in later if message.role == "assistant")
    prefix = messages[-1].content if messages[-1].role == "assistant" else ""
    return _answer_to_chat(chat_request), prefix


def _answer_to_prompt(messages: Sequence[ChatMessage]) -> str | None:
    """The answer if the last message is one of gencode's prompts, else None."""
    last = messages[-1]
    if last.role == "user" and (text := rule_answer(messages)) is not None:
        return text
    request = _request_in(last.content)
    if last.role != "user" or request is None:
        return None
    path = _path_in(last.content)
    if path is not None:
        return _file(TemplateProject.from_request(request), path)
    return TemplateProject.from_request(request).plan() if _asks_for_plan(messages) else None


def _request_in(text: str) -> str | None:
    """The text between the outermost <request> tags; the request itself may contain such tags, too."""
    _, start_tag, rest = text.partition("<request>")
    inner, end_tag, _ = rest.rpartition("</request>")
    return inner.strip() if start_tag and end_tag else None


def _path_in(text: str) -> str | None:
    """The path on the last line of a file prompt. A request cannot forge it: its end tag comes before."""
    _, marker, path = text.rstrip().rpartition(FILE_PROMPT_MARKER)
    return path if marker and "\n" not in path else None


def _asks_for_plan(messages: Sequence[ChatMessage]) -> bool:
    system = "".join(message.content for message in messages if message.role in ("system", "developer"))
    return "JSON object" in system and '"files"' in system


def _file(project: TemplateProject, path: str) -> str:
    try:
        return project.file(path)
    except UnknownFile:
        message = f"The offline model's template for this request has no file {path[:200]!r}."
        raise ApiError(message, param="messages", code="unknown_file") from None


def _answer_to_chat(chat_request: ChatRequest) -> str:
    """A self-description, in the language of the last user message."""
    from_user = (message.content for message in reversed(chat_request.messages) if message.role == "user")
    text = self_description(in_chinese=is_chinese(next(from_user, "")))
    return json.dumps({"answer": text}, ensure_ascii=False) if chat_request.wants_json else text
