"""What long answers cost: they are bounded, read outside the event loop, and one at a time."""

from __future__ import annotations

import re
import threading
import tracemalloc

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.codegen.answer_checks import MAX_LINES, check_lines
from gencode.codegen.code_fences import MAX_FENCES, split_lines
from gencode.codegen.file_extraction import read_answer
from gencode.llm.errors import LLMTooLarge
from gencode.resilience.json_value_count import has_more_values
from gencode.resilience.thread_offload import LONG_TEXT, run_on_text

SIZE = 2 * 2**20


@given(st.text(alphabet="a\n\r\x0b\x1c\u2028\x85\ud800", max_size=30))
def test_only_line_feeds_end_lines(text: str) -> None:
    assert split_lines(text) == [line for line in re.split(r"(?<=\n)", text) if line]


@pytest.mark.parametrize("path", ["a.py", "a.md", "README.md", "a.json"])
@pytest.mark.parametrize(
    "piece", ["a\n", "\n", "~~~\n", "```\n", " ~~~\n``` x\n", "```\nx = 1\n", "{}, ", '"",']
)
def test_reading_an_answer_takes_little_more_memory_than_its_text(path: str, piece: str) -> None:
    """Two million lines were 100 MiB, and half a million fences 170."""
    text = piece * (SIZE // len(piece))
    tracemalloc.start()
    try:
        read_answer(text, path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 * len(text)


@pytest.mark.parametrize("path", ["a.py", "a.md"])
def test_an_answer_of_very_many_fences_is_no_file(path: str) -> None:
    few = "```python\nx = 1\n```\n" * (MAX_FENCES // 2 - 1)
    assert "code fences" not in read_answer(few, path).doubt
    assert "code fences" in read_answer("~~~\n" * (MAX_FENCES + 1), path).doubt
    inline = "# A ```code``` word, and ``` two.\n" * MAX_FENCES
    assert read_answer(inline, path).text == inline
    assert "code fences" not in read_answer(inline, path).doubt


def test_a_file_has_a_limited_number_of_lines() -> None:
    check_lines("a.py", "\n" * MAX_LINES)
    with pytest.raises(LLMTooLarge, match=r"a\.py has more than 200000 lines"):
        check_lines("a.py", "\n" * (MAX_LINES + 1))


async def test_long_texts_are_read_one_at_a_time_and_never_on_the_event_loop() -> None:
    loop, gate = threading.get_ident(), threading.Event()
    short, long = [], []

    def read_short() -> None:
        short.append(threading.get_ident() == loop)

    def read_long() -> None:
        long.append(threading.get_ident() == loop)
        gate.wait()

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(run_on_text, LONG_TEXT + 1, read_long)
            group.start_soon(run_on_text, LONG_TEXT, read_short)
        try:
            while len(short) < 5 or not long:
                await anyio.sleep(0)
            await anyio.wait_all_tasks_blocked()
            assert long == [False]
        finally:
            gate.set()
    assert (short, long) == ([True] * 5, [False] * 5)


@pytest.mark.parametrize(
    ("text", "values"), [(b'{"a": [1, 2]}', 3), (b'{"a,[{": "\\",[{"}', 1), (b'"a,', 0), (b"[[[", 3)]
)
def test_values_are_counted_without_the_text_of_strings(text: bytes, values: int) -> None:
    assert not has_more_values(text, values)
    assert values == 0 or has_more_values(text, values - 1)
