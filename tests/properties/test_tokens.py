"""Cursors and idempotency keys, in every form that a client may send."""

from __future__ import annotations

import json
import re
import string
import uuid
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given
from starlette.requests import Request

from gencode.domain.errors import Invalid
from gencode.domain.principal import Principal
from gencode.http.parameter_types import DECLARED_INPUTS, InvalidText
from gencode.http.strict_json import validate
from gencode.http.submit_operation import IDEMPOTENCY_KEY, idempotency_key
from gencode.http.task_list import CURSOR, CURSOR_PATTERN
from gencode.pipelines.generate.api.request import PATTERN_MESSAGES, GenerateRequest

NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
BODIES = st.fixed_dictionaries(
    {
        "prompt": st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
        "repo_name": NAMES,
    },
    optional={"model": NAMES, "github_org": NAMES, "private": st.booleans()},
)


def generate_request(body: dict[str, Any]) -> GenerateRequest:
    return validate(GenerateRequest, body, PATTERN_MESSAGES)


def key_of(body: dict[str, Any], key: str = "k", client: str = "c") -> Any:
    scope = {
        "type": "http",
        "headers": [(b"idempotency-key", key.encode("latin-1"))],
        "state": {"principal": Principal(id=client)},
        DECLARED_INPUTS: {IDEMPOTENCY_KEY},
    }
    return idempotency_key(Request(scope), generate_request(body))


@given(st.uuids())
def test_the_id_of_a_task_is_a_cursor(task_id: uuid.UUID) -> None:
    assert CURSOR.type.parse(str(task_id)) == str(task_id)


@given(st.text(max_size=80) | st.from_regex(CURSOR_PATTERN) | st.uuids().map(lambda id_: str(id_).upper()))
def test_no_other_text_is_taken_for_a_cursor(text: str) -> None:
    """`from_regex` finds what follows a match, such as a line's end after it."""
    if not text or (len(text) == 36 and text == text.lower() and re.match(CURSOR_PATTERN, text)):
        assert CURSOR.type.parse(text) == text
        return
    with pytest.raises(InvalidText, match="next_cursor"):
        CURSOR.type.parse(text)


@given(BODIES, st.randoms())
def test_one_request_in_any_order_and_spacing_has_one_digest(body: dict[str, Any], random: Any) -> None:
    names = list(body)
    random.shuffle(names)
    again = json.loads(json.dumps({name: body[name] for name in names}, indent=random.choice([None, 2])))
    spelled_out = {"model": None, "github_org": None, "private": True, **again}
    assert key_of(body) == key_of(again) == key_of(spelled_out)


@given(BODIES, BODIES)
def test_two_requests_have_two_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    assume(generate_request(one) != generate_request(other))
    assert key_of(one).digest != key_of(other).digest


@given(BODIES, NAMES, NAMES)
def test_keys_belong_to_their_clients(body: dict[str, Any], one: str, other: str) -> None:
    found = key_of(body, key=one, client=one), key_of(body, key=one, client=other)
    assert (found[0] == found[1]) == (one == other)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7f", "\xa0"])
def test_unusable_keys_are_refused(key: str) -> None:
    with pytest.raises(Invalid, match="Idempotency-Key"):
        key_of({"prompt": "p", "repo_name": "r"}, key=key)
