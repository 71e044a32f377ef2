"""The state machine, pair by pair."""

from __future__ import annotations

from datetime import UTC

import pytest

from gencode.domain.task import WORKING, Failure, IllegalTransition, Status, Task, advance, may_follow, now
from tests.unit.storage.samples import a_task

S = Status
LEGAL = {
    (S.PENDING, S.GENERATING),
    (S.GENERATING, S.MERGING),
    (S.MERGING, S.CREATING_REPO),
    (S.CREATING_REPO, S.PUSHING),
    (S.PUSHING, S.COMPLETED),
    *((before, S.FAILED) for before in (S.PENDING, S.GENERATING, S.MERGING, S.CREATING_REPO, S.PUSHING)),
    *((before, S.CANCELLED) for before in (S.PENDING, S.GENERATING, S.MERGING, S.CREATING_REPO, S.PUSHING)),
}


def a_task_in(status: Status) -> Task:
    return a_task(status=status, message="before")


def a_failed_task(stage: Status) -> Task:
    return advance(
        a_task(status=stage, attempts=3), S.FAILED, "why", Failure(code="X", message="why", retryable=True)
    )


@pytest.mark.parametrize("after", list(S))
@pytest.mark.parametrize("stage", WORKING)
def test_what_failed_goes_back_to_where_it_failed_and_nowhere_else(stage: Status, after: Status) -> None:
    task = a_failed_task(stage)
    assert task.failure
    assert (task.failure.stage, task.attempts) == (stage, 3)
    assert may_follow(S.FAILED, after, stage) is (after is stage)
    if after is stage:
        back = advance(task, after, "again")
        assert (back.status, back.failure, back.attempts) == (stage, None, 0)
        assert back.retries == {"X": 1}
    else:
        with pytest.raises(IllegalTransition):
            advance(task, after, "again")


@pytest.mark.parametrize("after", list(S))
@pytest.mark.parametrize("before", list(S))
def test_every_pair(before: Status, after: Status) -> None:
    task = a_task_in(before)
    if (before, after) in LEGAL:
        assert may_follow(before, after)
        assert advance(task, after, "after").status is after
    else:
        assert not may_follow(before, after)
        with pytest.raises(IllegalTransition, match=f"{before} -> {after}"):
            advance(task, after, "after")


def test_the_names_are_the_contract() -> None:
    assert [str(status) for status in S] == [
        "pending",
        "generating",
        "merging_files",
        "creating_repo",
        "pushing",
        "completed",
        "failed",
        "cancelled",
    ]
    assert [s for s in S if s.is_terminal] == [S.COMPLETED, S.FAILED, S.CANCELLED]
    assert [*WORKING] == [s for s in S if not s.is_terminal]


def test_a_step_changes_status_message_failure_and_time_alone() -> None:
    task = a_task(created_at=now(), updated_at=now(), result={"a": 1}, sequence=3, attempts=2)
    failure = Failure(code="X", message="m", retryable=True)
    after = advance(task, S.FAILED, "over", failure)
    assert (after.status, after.message, after.failure) == (S.FAILED, "over", failure)
    assert (after.id, after.result, after.sequence, after.attempts) == (task.id, {"a": 1}, 3, 2)
    assert after.updated_at >= task.updated_at
    assert task.status is S.PENDING


def test_the_present_is_in_utc_and_whole_milliseconds() -> None:
    moment = now()
    assert moment.tzinfo is UTC
    assert moment.microsecond % 1000 == 0
