"""The report and the bundle of a task, made from its log and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gencode.codegen.file_checkpoints import Checkpoints
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.common_declarations import DISPOSITION, OWN_TASK
from gencode.http.dependencies import get_services
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.pipelines.generate.api.services import own_generate_task
from gencode.pipelines.generate.api.views import BundleView, ReportView
from gencode.pipelines.generate.replay_bundle import bundle as make_bundle
from gencode.pipelines.generate.report import report as make_report

REPORT = JsonResponseSpec(model=ReportView, description="As of now")
BUNDLE = JsonResponseSpec(
    model=BundleView, description="For gencode replay; once the commit is pushed", headers=(DISPOSITION,)
)


@operation(
    "reportTask",
    "GET /task/{task_id}/report",
    "What became of a task",
    traits=(OWN_TASK,),
    responses=(REPORT,),
)
async def report(request: Request) -> Response:
    """The report; available in every state of the task."""
    services, task = get_services(request), await own_generate_task(request)
    return await services.checkpoint_reader.read_with_log(task, partial(_report, task))


@operation(
    "bundleTask",
    "GET /task/{task_id}/bundle",
    "All to make the commit again",
    traits=(OWN_TASK,),
    responses=(BUNDLE,),
)
async def bundle(request: Request) -> Response:
    """The bundle, which is the input of `gencode replay`; 404 until the commit is pushed."""
    services, task = get_services(request), await own_generate_task(request)
    submission = await services.store.request(task.id)
    return await services.checkpoint_reader.read_with_log(
        task, partial(_bundle, task, submission), is_large=True
    )


def _report(task: Task, events: Sequence[Event], checkpoints: Checkpoints) -> Response:
    return REPORT.make(ReportView(**make_report(task, events, checkpoints).model_dump()))


def _bundle(
    task: Task, submission: Mapping[str, Any], events: Sequence[Event], checkpoints: Checkpoints
) -> Response:
    attachment = {"Content-Disposition": f'attachment; filename="{task.id}.json"'}
    view = BundleView(**make_bundle(task, submission, events, checkpoints).model_dump())
    return BUNDLE.make(view, attachment)
