"""The JSON of tasks, which no model validates, is what the OpenAPI document says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from gencode.domain.callback import Callback
from gencode.domain.event import dump
from gencode.domain.task import Failure, State, Task, now
from gencode.engine.ports.pipeline import Stage
from gencode.http.kinds import ActiveKinds, KindRegistry, KindRuntime
from gencode.http.task_models import callback_data, task_data
from gencode.pipelines.generate.api.views import GenerateTaskFields, task_fields
from gencode.pipelines.generate.kind import KIND
from tests.servers.openapi import document
from tests.unit.storage.samples import a_task

TASK_VIEW = Draft202012Validator(
    {"$ref": "#/components/schemas/TaskView", "components": document()["components"]}
)
RESULT = {"repo_url": "https://h/r", "clone_url": "https://h/r.git", "commit": "c" * 40, "branch": "main"}
PARAMETERS = {"model": "m", "repo_name": "r", "host": "h", "github_org": None, "private": True}
FAILURE = Failure(code="LLM_AUTH", message="m", retryable=False)


class Pipeline:
    stages = tuple(Stage(name=name, run=lambda artifact, emit: artifact) for name in KIND.stage_titles)


def active_kinds() -> ActiveKinds:
    runtime = KindRuntime(pipeline=Pipeline(), prepare=lambda *_: None, view=task_fields)  # type: ignore[arg-type,return-value]
    return ActiveKinds(KindRegistry([KIND]), {KIND.name: runtime})


TASKS: dict[str, Task] = {
    "queued": a_task(parameters=PARAMETERS),
    "running": a_task(parameters=PARAMETERS, state=State.RUNNING, stage="merging_files"),
    "paused": a_task(state=State.PAUSED, stage="generating", paused_until=now() + timedelta(hours=1)),
    "succeeded": a_task(parameters=PARAMETERS, result=RESULT, state=State.SUCCEEDED, stage="pushing"),
    "failed before any stage": a_task(state=State.FAILED, failure=FAILURE),
    "cancelled": a_task(state=State.CANCELLED),
    "of an unknown kind": a_task(kind="teleport", parameters={}),
}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_task_is_shown_as_the_document_says(task: Task) -> None:
    view = task_data(task, "/api/v1", active_kinds())
    TASK_VIEW.validate(view)
    assert (view["state"], view["status"]) == (task.state.value, task.status)
    assert set(GenerateTaskFields.model_fields) <= view.keys() or task.kind != "generate"


def test_a_task_of_an_unknown_kind_and_state_has_the_core_fields_only() -> None:
    task = a_task(kind="teleport", state=State.UNKNOWN, stage="dreaming", parameters={"repo_name": 7})
    view = task_data(task, "/api/v1", active_kinds())
    assert (view["kind"], view["status"], view["progress"]["percent"]) == ("teleport", "dreaming", None)
    assert "repo_name" not in view


@pytest.mark.parametrize("failures", [0, 2])
def test_a_callback_is_shown_as_the_document_says(failures: int) -> None:
    callback = Callback(
        task_id="t", kind="webhook", url="https://h:8443/secret", host="h:8443", failures=failures
    )
    view: dict[str, Any] = task_data(TASKS["queued"], "/api/v1", active_kinds())
    TASK_VIEW.validate(view | {"callback": callback_data(callback)})
    assert "secret" not in str(callback_data(callback))


def test_a_lone_surrogate_in_a_message_can_be_sent() -> None:
    view = task_data(a_task(message="a\ud800b"), "/api/v1", active_kinds())
    assert b'"message":"a?b"' in dump(view)
