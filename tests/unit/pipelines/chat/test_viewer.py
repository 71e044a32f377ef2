"""What `gencode chat` prints of an answer: the text once, also over a crash, and again if it is replaced."""

from __future__ import annotations

from typing import Any

from gencode.pipelines.chat.commands.viewer import AnswerViewer


def viewer() -> tuple[AnswerViewer, list[str]]:
    printed: list[str] = []
    return AnswerViewer(printed.append), printed


def at(offset: int, text: str, round_: int = 1) -> dict[str, Any]:
    return {"round": round_, "offset": offset, "text": text}


def test_stored_and_live_text_is_printed_once() -> None:
    shown, printed = viewer()
    for kind, data in [
        ("delta", at(0, "One ")),
        ("text", at(0, "One two ")),
        ("delta", at(4, "two three ")),
        ("delta", at(100, "a later piece")),
        ("delta", at(0, "of an earlier round", 0)),
        ("text", at(8, "three four")),
        ("usage", {}),
    ]:
        shown.show(kind, data)
    assert "".join(printed) == shown.text == "One two three four"


def test_what_was_live_only_is_dropped_when_the_process_was_replaced() -> None:
    shown, printed = viewer()
    shown.show("text", at(0, "Stored. "))
    shown.show("delta", at(8, "Lost."))
    shown.show("resumed", {})
    shown.show("delta", at(8, "Other"))
    shown.show("text", at(8, "Other."))
    assert shown.text == "Stored. Other."
    assert "".join(printed) == "Stored. Lost.\n(the answer begins again)\nStored. Other."


def test_a_new_round_is_printed_from_its_beginning() -> None:
    shown, printed = viewer()
    shown.show("text", at(0, "The first try"))
    shown.show("text", at(0, "", 2))
    shown.show("delta", at(0, "Again", 2))
    shown.show("text", at(0, "Again.", 2))
    assert shown.text == "Again."
    assert "".join(printed) == "The first try\n(the answer begins again)\nAgain."
