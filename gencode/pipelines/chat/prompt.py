"""What the model sees: the system message, and as much of the conversation as fits its window."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.llm.port import ChatRequest, Message
from gencode.llm.token_estimate import PER_MESSAGE, estimate_tokens
from gencode.workspace.conversations.tables import ChatMessage, MessageRole

INSTRUCTIONS = "Task: chat\nAnswer the last message of the user, in its language."
MAX_ANSWER = 400_000
"""Characters."""


def system_text(given: str | None) -> str:
    """`given`: the system prompt of the conversation."""
    return f"{INSTRUCTIONS}\n\n{given}" if given else INSTRUCTIONS


def tokens_of(text: str) -> int:
    return estimate_tokens(text) + PER_MESSAGE


def fitting(history: Sequence[ChatMessage], room: int) -> list[ChatMessage]:
    """The newest messages that have so many tokens together. They begin with one of the user, and blank
    answers are no messages."""
    kept: list[ChatMessage] = []
    for message in reversed([one for one in history if one.content.strip()]):
        room -= tokens_of(message.content)
        if room < 0:
            break
        kept.insert(0, message)
    while kept and kept[0].role != MessageRole.USER.value:
        kept.pop(0)
    return kept


def chat_request(system: str, history: Sequence[ChatMessage], question: str, max_tokens: int) -> ChatRequest:
    """Messages of the same role that follow each other, such as after an answer without text, are joined:
    many models demand that roles alternate."""
    turns: list[tuple[str, str]] = []
    for role, content in (*((one.role, one.content) for one in history), (MessageRole.USER.value, question)):
        if turns and turns[-1][0] == role:
            turns[-1] = (role, f"{turns[-1][1]}\n\n{content}")
        else:
            turns.append((role, content))
    messages = (Message(role="system", content=system), *(_message(*turn) for turn in turns))
    return ChatRequest(messages=messages, max_tokens=max_tokens, max_text=MAX_ANSWER, prose=True)


def _message(role: str, content: str) -> Message:
    return Message(role="assistant" if role == MessageRole.ASSISTANT.value else "user", content=content)
