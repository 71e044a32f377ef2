from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.domain.event import dump, encode_delta
from gencode.hub.postgres.live_messages import fitting

SIZE = 200


def test_data_that_fits_is_not_changed() -> None:
    data = {"about": "a.py", "offset": 3, "text": "中 x\n"}
    assert list(fitting(data, SIZE)) == [encode_delta(data)]


@given(text=st.text(max_size=2000), offset=st.integers(0, 10**6))
def test_a_long_delta_becomes_several_that_follow_each_other(text: str, offset: int) -> None:
    messages = list(fitting({"about": "a.py", "offset": offset, "text": text}, SIZE))
    assert all(len(message) <= SIZE for message in messages)
    deltas = [json.loads(message.partition(b"data: ")[2]) for message in messages]
    assert "".join(delta["text"] for delta in deltas) == json.loads(dump({"text": text}))["text"]
    for delta in deltas:
        assert delta["about"] == "a.py"
        assert delta["offset"] == offset
        offset += len(delta["text"])


@pytest.mark.parametrize(
    "data",
    [
        {"n": "x" * 500},
        {"text": "x" * 500},
        {"text": "x" * 500, "offset": "0"},
        {"text": ["x" * 500], "offset": 0},
        {"text": "x" * 500, "offset": 0, "about": "x" * 150},
    ],
)
def test_other_data_that_is_too_long_is_left_out(data: dict[str, Any]) -> None:
    assert list(fitting(data, SIZE)) == []
