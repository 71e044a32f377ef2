"""Builds the URLs of tasks in responses: absolute paths, also below the path of a host application."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request

API = "/api/v1"


def api(request: Request) -> str:
    """The path of the API from the root of the server; for endpoints below it.

    It follows from where the application is mounted, never from what the client sends.
    """
    return quote(request.scope.get("root_path", "")) or API


def status_url(api: str, task_id: str) -> str:
    return f"{api}/status/{task_id}"


def task_url(api: str, task_id: str) -> str:
    return f"{api}/task/{task_id}"
