from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gencode.domain.event import Event
from gencode.domain.task import Failure, Status
from gencode.storage.rows import event_from, event_row, task_from, task_row
from tests.unit.storage.samples import a_task

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
json_objects = st.dictionaries(st.text(), json_values, max_size=4)
any_text = st.text(st.characters())  # with lone surrogates


@given(
    request=json_objects,
    result=json_objects,
    message=st.text(),
    status=st.sampled_from(Status),
    failure=st.none()
    | st.builds(
        Failure,
        code=st.text(),
        message=st.text(),
        retryable=st.booleans(),
        stage=st.sampled_from(Status),
    ),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_a_task_comes_back_from_its_row(at: datetime, **fields: Any) -> None:
    task = a_task(created_at=at, updated_at=at, **fields)
    assert task_from(task_row(task)) == task


@given(id_=st.integers(min_value=1), kind=st.text(), data=json_objects)
def test_an_event_comes_back_from_its_row(id_: int, kind: str, data: dict[str, Any]) -> None:
    event = Event(task_id="t", id=id_, kind=kind, data=data)
    assert event_from(event_row(event)) == event


@given(any_text)
def test_every_string_can_be_stored(value: str) -> None:
    task = a_task(message=value, client=value, request={value: value})
    for column in task_row(task):
        assert str(column).encode().decode() == str(column)
