"""Elements are told as soon as they are complete, however the text arrives."""

from __future__ import annotations

import json

import pytest

from gencode.engine.ports.pipeline import StageUpdate
from gencode.pipelines.blueprint.live_elements import LiveElements, ObjectScanner

FIRST = {
    "kind": "entity",
    "name": "Order",
    "label": 'a "quoted" {brace}',
    "fields": [{"name": "a"}, {"name": "b"}],
}
SECOND = {"kind": "page", "name": "Orders", "path": "/orders", "components": []}
TEXT = f"Some words.\n{json.dumps(FIRST)}\n```\n{json.dumps(SECOND, ensure_ascii=False)}\n```"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_objects_are_found_in_pieces_of_any_size(size: int) -> None:
    scanner = ObjectScanner()
    pieces = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
    found = [json.loads(one) for piece in pieces for one in scanner.feed(piece)]
    assert found == [FIRST, SECOND]


def test_a_string_that_never_ends_spoils_its_line_only() -> None:
    text = '{"name": "never ends}\n{"name": "whole"}\n}}}{"name": "after"}'
    assert list(ObjectScanner().feed(text)) == ['{"name": "whole"}', '{"name": "after"}']


async def test_an_element_is_told_once_and_one_with_escapes_only_after_its_answer_was_checked() -> None:
    emitted: list[StageUpdate] = []

    async def emit(*updates: StageUpdate) -> None:
        emitted.extend(updates)

    live = LiveElements(emit, "details")

    async def write(text: str, offset: int) -> None:
        await live(StageUpdate(kind="delta", data={"about": "x", "offset": offset, "text": text}, live=True))

    line = json.dumps(FIRST)
    await write(line[:30], 0)
    assert [update.kind for update in emitted] == ["delta"]
    await write(line[30:], 30)
    await write(line, 0)  # another attempt says it again
    await write('{"kind": "flow", "name": "\\u0070ay"}', 0)
    told = [dict(update.data) for update in emitted if update.kind == "element"]
    assert told == [
        {
            "kind": "entity",
            "id": "Order",
            "name": "Order",
            "label": 'a "quoted" {brace}',
            "part": "details",
            "fields": 2,
        }
    ]
