from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.domain.errors import RetryHelps
from gencode.domain.event import Event
from gencode.domain.principal import Principal, PrincipalKind
from gencode.domain.task import Failure, State
from gencode.storage.rows import (
    TASK_COLUMNS,
    Row,
    event_to_row,
    read_request,
    row_to_event,
    row_to_task,
    task_to_row,
)
from tests.unit.storage.samples import a_task

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
json_objects = st.dictionaries(st.text(), json_values, max_size=4)
any_text = st.text(st.characters())  # with lone surrogates


@given(
    parameters=json_objects,
    result=json_objects,
    message=st.text(),
    stage=st.text(),
    state=st.sampled_from(State),
    principal=st.builds(Principal, id=st.text(), kind=st.sampled_from(PrincipalKind)),
    failure=st.none()
    | st.builds(
        Failure,
        code=st.text(),
        message=st.text(),
        retryable=st.booleans(),
        stage=st.text(),
        retry_helps=st.sampled_from([helps.value for helps in RetryHelps]),
        retry_fields=st.lists(st.text()).map(tuple),
    ),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_a_task_comes_back_from_its_row(at: datetime, **fields: Any) -> None:
    task = a_task(created_at=at, updated_at=at, paused_until=at, **fields)
    assert row_to_task(task_to_row(task)) == task


@pytest.mark.parametrize(("retryable", "helps"), [(True, "later"), (False, "after_change")])
@pytest.mark.parametrize("newer", [{}, {"field_of_a_newer_version": 1}])
def test_a_failure_of_another_version_is_read(retryable: bool, helps: str, newer: Mapping[str, int]) -> None:
    row = list(task_to_row(a_task(state=State.FAILED)))
    old = {"code": "C", "message": "m", "retryable": retryable, "stage": "pushing"}
    row[TASK_COLUMNS.index("failure")] = json.dumps({**old, **newer})
    assert row_to_task(tuple(row)).failure == Failure(
        code="C", message="m", retryable=retryable, stage="pushing", retry_helps=helps
    )


@given(id_=st.integers(min_value=1), kind=st.text(), data=json_objects)
def test_an_event_comes_back_from_its_row(id_: int, kind: str, data: dict[str, Any]) -> None:
    event = Event(task_id="t", id=id_, kind=kind, data=data)
    assert row_to_event(event_to_row(event)) == event


@given(any_text)
def test_every_string_can_be_stored(value: str) -> None:
    task = a_task(value, message=value, parameters={value: value})
    for column in task_to_row(task):
        assert str(column).encode().decode() == str(column)


def row_with(row: Row, **columns: Any) -> Row:
    return tuple(({**dict(zip(TASK_COLUMNS, row, strict=True)), **columns}).values())


def test_an_unknown_state_and_an_unknown_principal_kind_are_read_as_such() -> None:
    row = row_with(task_to_row(a_task(stage="s")), state="dreaming", principal_kind="robot")
    task = row_to_task(row)
    assert (task.state, task.status, task.is_idle) == (State.UNKNOWN, "s", False)
    assert task.principal == Principal(id="alice", kind=PrincipalKind.API_KEY)


@pytest.mark.parametrize("value", ["{", "[1]", "null", None, "", 5, '{"no": "failure"}'])
def test_damaged_columns_are_empty_and_an_unfinished_task_is_left_alone(value: object) -> None:
    columns = ("failure", "result", "retries", "created_at", "updated_at", "paused_until")
    row = task_to_row(a_task(id="old", message="m", parameters={"a": 1}, state=State.RUNNING))
    task = row_to_task(row_with(row, **dict.fromkeys(columns, value)))
    assert (task.id, task.message, task.state, task.failure) == ("old", "m", State.UNKNOWN, None)
    assert task.parameters == {"a": 1}
    assert task.created_at == datetime.fromtimestamp(0, UTC)


def test_a_damaged_task_that_is_over_keeps_its_state() -> None:
    row = row_with(task_to_row(a_task(state=State.SUCCEEDED)), result="{")
    assert row_to_task(row).state is State.SUCCEEDED


def test_damaged_events_and_requests_are_empty() -> None:
    assert row_to_event(("t", 1, "status", "{")).data == {}
    assert read_request("{") == {}


def test_a_moment_without_a_time_zone_is_in_utc() -> None:
    row = row_with(task_to_row(a_task()), created_at="2026-11-29T17:06:10")
    assert row_to_task(row).created_at == datetime(2026, 11, 29, 17, 6, 10, tzinfo=UTC)
