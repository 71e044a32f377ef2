"""Every transition of a task, legal or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from gencode.domain import task as lifecycle
from gencode.domain.task import (
    TERMINAL,
    UNFINISHED,
    Failure,
    IllegalTransition,
    State,
    Task,
    now,
    rfc3339,
    transition,
)
from tests.unit.engine.rig import new_task

S = State
OPEN = {S.QUEUED, S.RUNNING, S.PAUSED}
LEGAL = {
    *((S.QUEUED, after) for after in (S.RUNNING, S.FAILED, S.CANCELLED)),
    *((S.RUNNING, after) for after in (S.QUEUED, S.RUNNING, S.PAUSED, *TERMINAL)),
    *((S.PAUSED, after) for after in (S.QUEUED, S.FAILED, S.CANCELLED)),
    (S.FAILED, S.QUEUED),
}
WHY = Failure(code="X", message="why", retryable=True)
UNTIL = now() + timedelta(hours=1)


def a_task(state: State, **fields: Any) -> Task:
    """As it is in this state; `stage` is "check", attempts are 3."""
    extra: dict[State, dict[str, Any]] = {
        S.PAUSED: {"paused_until": UNTIL},
        S.FAILED: {"failure": replace(WHY, stage="check")},
    }
    return new_task(**{"state": state, "stage": "check", "attempts": 3, **extra.get(state, {}), **fields})


@pytest.mark.parametrize("after", list(S))
@pytest.mark.parametrize("before", list(S))
def test_only_listed_pairs_of_states_follow_each_other(before: State, after: State) -> None:
    task = a_task(before)
    if (before, after) in LEGAL:
        moved = transition(task, after, "after", "pack")
        assert (moved.state, moved.message, moved.stage) == (after, "after", "pack")
        assert (moved.failure, moved.paused_until) == (None, None)
    else:
        with pytest.raises(IllegalTransition, match=f"{before} -> {after}"):
            transition(task, after)


STEPS: dict[str, tuple[Callable[[Task], Task], set[State], State]] = {
    "start": (lifecycle.start, {S.QUEUED, S.RUNNING}, S.RUNNING),
    "release": (lifecycle.release, {S.RUNNING}, S.QUEUED),
    "fail": (lambda task: lifecycle.fail(task, WHY), OPEN, S.FAILED),
    "pause": (lambda task: lifecycle.pause(task, UNTIL, "may I?"), {S.RUNNING}, S.PAUSED),
    "resume": (lambda task: lifecycle.resume(task, "go"), {S.PAUSED}, S.QUEUED),
    "retry": (lambda task: lifecycle.retry(task, "again", {}), {S.FAILED}, S.QUEUED),
}


@pytest.mark.parametrize("before", list(S))
@pytest.mark.parametrize("name", list(STEPS))
def test_each_step_starts_from_its_own_states_only(name: str, before: State) -> None:
    step, allowed, after = STEPS[name]
    task = a_task(before)
    if before in allowed:
        assert (step(task).state, step(task).stage) == (after, "check")
    else:
        with pytest.raises(IllegalTransition, match=f"{before} -> {after}"):
            step(task)


@pytest.mark.parametrize(
    ("name", "before", "changed"),
    [
        ("start", S.QUEUED, {"attempts": 4}),
        ("start", S.RUNNING, {"attempts": 4}),
        ("release", S.RUNNING, {"attempts": 0}),
        ("fail", S.RUNNING, {"message": "why", "failure": replace(WHY, stage="check")}),
        ("fail", S.PAUSED, {"message": "why", "failure": replace(WHY, stage="check"), "paused_until": None}),
        ("pause", S.RUNNING, {"message": "may I?", "attempts": 0, "paused_until": UNTIL}),
        ("resume", S.PAUSED, {"message": "go", "attempts": 0, "paused_until": None}),
        ("retry", S.FAILED, {"message": "again", "attempts": 0, "failure": None, "retries": {"X": 1}}),
    ],
)
def test_a_step_changes_nothing_but_this(name: str, before: State, changed: dict[str, Any]) -> None:
    task = a_task(before, result={"a": 1}, sequence=3, version=5, cache_key="k", parameters={"p": 1})
    step, _, after = STEPS[name]
    moved = step(task)
    assert moved == replace(task, state=after, updated_at=moved.updated_at, **changed)
    assert moved.updated_at >= task.updated_at
    assert task.state is before


@pytest.mark.parametrize("stage", ["", "check"])
def test_a_failure_notes_its_stage_and_a_retry_returns_to_it(stage: str) -> None:
    failed = lifecycle.fail(new_task(state=S.RUNNING, stage=stage), WHY)
    assert failed.failure
    assert (failed.status, failed.failure.stage) == ("failed", stage)
    retried = lifecycle.retry(failed, "again", {"model": "other"})
    assert (retried.stage, retried.status) == (stage, stage or "pending")
    assert retried.parameters == {"model": "other"}


def test_retries_are_counted_by_the_code_of_the_failure() -> None:
    task = new_task(state=S.RUNNING)
    for code in ("X", "Y", "X"):
        failed = lifecycle.fail(replace(task, state=S.RUNNING), replace(WHY, code=code))
        task = lifecycle.retry(failed, "again", {})
    assert task.retries == {"X": 2, "Y": 1}


@pytest.mark.parametrize(
    ("state", "stage", "status"),
    [
        (S.QUEUED, "", "pending"),
        (S.RUNNING, "", "pending"),
        (S.RUNNING, "check", "check"),
        (S.QUEUED, "check", "check"),
        (S.PAUSED, "check", "check"),
        (S.SUCCEEDED, "ship", "completed"),
        (S.SUCCEEDED, "", "completed"),
        (S.FAILED, "check", "failed"),
        (S.FAILED, "", "failed"),
        (S.CANCELLED, "check", "cancelled"),
        (S.UNKNOWN, "a newer one", "a newer one"),
    ],
)
def test_the_public_status(state: State, stage: str, status: str) -> None:
    assert a_task(state, stage=stage).status == status


def test_states_are_terminal_unfinished_or_unknown() -> None:
    assert {*S} == {*TERMINAL, *UNFINISHED, S.UNKNOWN}
    assert {state for state in S if state.is_terminal} == TERMINAL
    assert {state for state in S if a_task(state).is_idle} == {*TERMINAL, S.PAUSED}


def test_the_present_is_in_utc_and_whole_milliseconds() -> None:
    moment = now()
    assert moment.tzinfo is UTC
    assert moment.microsecond % 1000 == 0
    assert rfc3339(moment.replace(microsecond=0)).endswith(".000Z")
