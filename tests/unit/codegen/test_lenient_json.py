"""Reading JSON as models write it; the work for hostile texts is counted, not timed."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from gencode.codegen import lenient_json
from gencode.codegen.lenient_json import NotJson, find_object, read_value

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4), st.sampled_from([None, 2]))
def test_the_lenient_reader_reads_json_as_python_does(value: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    assert read_value(text, 0, strict_first=False) == (value, len(text))


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), VALUES, min_size=1, max_size=4), st.data())
def test_a_text_that_is_cut_is_never_completed(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=False)
    with pytest.raises(NotJson):
        read_value(text[: data.draw(st.integers(1, len(text) - 1))], 0)


@settings(deadline=None)
@given(st.text(alphabet="{}[]\"'“”\\,:/*# \na1", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert find_object(text, "files") is None


@pytest.mark.parametrize("unit", ["{", '{"a":', '{"a":"', "{'a':\"", '{"a"', "{/*", "{ ", '{"a":[1,'])
def test_the_work_for_a_hostile_text_grows_with_its_length(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Characters read by the lenient reader, and starts of Python's."""
    read: list[int] = []
    reader = lenient_json._LenientReader.read

    def counted(self: Any) -> Any:
        start = self._at
        try:
            return reader(self)
        except NotJson as error:
            read.append(error.position - start)
            raise

    monkeypatch.setattr(lenient_json._LenientReader, "read", counted)
    text = unit * (60_000 // len(unit))
    assert find_object(text, "files") is None
    assert len(read) <= lenient_json.MAX_STARTS
    assert sum(read) <= (lenient_json.WORK_PER_CHARACTER + 1) * len(text)
