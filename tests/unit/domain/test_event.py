"""The framing of server-sent events holds for any text."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from httpx_sse._decoders import SSEDecoder
from hypothesis import given

from gencode.domain.event import RECONNECT_MILLISECONDS, Event, dump, encode, encode_delta

TEXTS = st.text(st.characters() | st.sampled_from("\r\n\0\u2028\u2029\x85\x0b\x0c\ud800: "))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def decode(raw: bytes) -> list[Any]:
    """As WHATWG HTML, 9.2.6 says: lines end at CR, LF or CRLF and nowhere else."""
    text = raw.decode().replace("\r\n", "\n").replace("\r", "\n")
    decoder = SSEDecoder()
    return [event for line in text.split("\n")[:-1] if (event := decoder.decode(line)) is not None]


def clean(data: Any) -> Any:
    """A lone surrogate becomes "?"."""
    return json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))


@given(st.integers(1, 10**12), st.dictionaries(TEXTS, JSON, max_size=4))
def test_one_event_comes_out_as_it_went_in(number: int, data: dict[str, Any]) -> None:
    raw = encode(Event(task_id="t", id=number, kind="status", data=data))
    (event,) = decode(raw)
    assert (event.event, event.id, event.json()) == ("status", str(number), clean(data))
    assert raw.endswith(b"\n\n")
    assert raw.count(b"\n") == (5 if number == 1 else 4)
    assert event.retry == (RECONNECT_MILLISECONDS if number == 1 else None)
    assert not set(raw) & {0, 13}


@given(st.dictionaries(TEXTS, JSON, max_size=4))
def test_a_delta_has_no_id(data: dict[str, Any]) -> None:
    (event,) = decode(encode_delta(data))
    assert (event.event, event.id, event.json()) == ("delta", "", clean(data))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_json_is_refused(number: float) -> None:
    with pytest.raises(ValueError):
        dump({"x": number})


def test_chinese_stays_readable() -> None:
    assert dump({"message": "正在生成代码..."}) == '{"message":"正在生成代码..."}'.encode()
