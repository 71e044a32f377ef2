"""Notes of imports: messages in both languages, and a limit."""

from gencode.blueprints.importing.notes import MAX_NOTES, MESSAGES, NoteList, NoteRule


def test_every_rule_has_messages_with_the_same_parameters() -> None:
    assert set(MESSAGES) == set(NoteRule)
    for english, chinese in MESSAGES.values():
        assert english
        assert chinese
        assert english.count("{") == chinese.count("{") or "change" in english


def test_a_note_is_told_once_and_the_rest_is_counted() -> None:
    notes = NoteList()
    for number in range(MAX_NOTES + 5):
        notes.add(NoteRule.OPTION, "dataModels/a", number, option=f"x{number}")
        notes.add(NoteRule.OPTION, "dataModels/a", number, option=f"x{number}")
    told = notes.all()
    assert len(told) == MAX_NOTES + 1
    assert told[-1].parameters == {"count": "10"}
