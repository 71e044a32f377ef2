"""Lines of a body, however its bytes arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.llm.streaming.line_splitter import LineSplitter

MARK = b"\xef\xbb\xbf"


def lines_of(blocks: list[bytes]) -> list[bytes]:
    splitter = LineSplitter()
    lines = [line for block in blocks for line in splitter.feed(block)]
    return lines + splitter.close()


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\r", "\u2028 \u0085 é".encode(), MARK, b": x"])),
    st.data(),
)
def test_lines_do_not_depend_on_how_the_bytes_arrive(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    blocks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert lines_of(blocks) == whole.removeprefix(MARK).splitlines()


@pytest.mark.parametrize("blocks", [[MARK + b"a\nb"], [MARK[:1], MARK[1:2], MARK[2:] + b"a\n", b"b"]])
def test_one_byte_order_mark_is_removed(blocks: list[bytes]) -> None:
    assert lines_of(blocks) == [b"a", b"b"]
    assert lines_of([MARK, MARK, b"a"]) == [MARK + b"a"]


def test_lines_are_complete_as_soon_as_their_end_arrives() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\r") == [b"a"]
    assert splitter.feed(b"\nb\rc") == [b"b"]
    assert splitter.feed(b"d\n\n") == [b"cd", b""]
    assert splitter.close() == []
