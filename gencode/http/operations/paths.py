"""Every address with its operations, in the order in which people read them."""

from __future__ import annotations

from gencode.http.operations import results, service, submitting, tasks
from gencode.http.operations.pieces import Part


def paths() -> dict[str, Part]:
    return {
        "/api/v1/generate": {"post": submitting.generate()},
        "/api/v1/estimate": {"post": submitting.estimate()},
        "/api/v1/status/{task_id}": {"get": tasks.status()},
        "/api/v1/tasks": {"get": tasks.listing()},
        "/api/v1/task/{task_id}": {"get": tasks.view()},
        "/api/v1/task/{task_id}/approve": {"post": results.approve()},
        "/api/v1/task/{task_id}/archive.zip": {"get": results.archive()},
        "/api/v1/task/{task_id}/bundle": {"get": results.bundle()},
        "/api/v1/task/{task_id}/cancel": {"post": tasks.cancel()},
        "/api/v1/task/{task_id}/files": {"get": results.files()},
        "/api/v1/task/{task_id}/files/{path}": {"get": results.file()},
        "/api/v1/task/{task_id}/plan": {"get": results.plan(), "put": results.change_plan()},
        "/api/v1/task/{task_id}/report": {"get": results.report()},
        "/api/v1/task/{task_id}/retry": {"post": tasks.retry()},
        "/api/v1/task/{task_id}/ticket": {"post": tasks.ticket()},
        "/api/v1/webhook-secret": {"get": submitting.webhook_secret()},
        "/integrations/slack": {"post": submitting.chat("Slack")},
        "/integrations/mattermost": {"post": submitting.chat("Mattermost")},
        **service.paths(),
    }
