from __future__ import annotations

from gencode.pipelines.chat.prompt import chat_request, fitting, system_text, tokens_of
from gencode.workspace.conversations.tables import ChatMessage


def message(role: str, content: str) -> ChatMessage:
    return ChatMessage(role=role, content=content)


def history(turns: int) -> list[ChatMessage]:
    return [message(role, f"{role} {n}") for n in range(turns) for role in ("user", "assistant")]


def test_the_newest_messages_stay_and_begin_with_a_question() -> None:
    all_of_them = history(5)
    room = sum(tokens_of(one.content) for one in all_of_them)
    assert fitting(all_of_them, room) == all_of_them
    assert fitting(all_of_them, room - 1) == all_of_them[2:]
    assert fitting(all_of_them, room - tokens_of(all_of_them[0].content)) == all_of_them[2:]
    assert fitting(all_of_them, 0) == []
    assert fitting([*all_of_them, message("assistant", " ")], room) == all_of_them


def test_roles_alternate_also_after_an_answer_without_text() -> None:
    request = chat_request(system_text("Be brief."), history(1)[:1], "Again?", 50)
    system, question = request.messages
    assert (system.role, system.content.splitlines()[-1]) == ("system", "Be brief.")
    assert (question.role, question.content) == ("user", "user 0\n\nAgain?")
    assert request.prose
