"""Addresses of tasks, as answers give them: absolute paths, also under the path of a host application."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request

API = "/api/v1"


def api(request: Request) -> str:
    """The path of the API, from the root of the host that was asked; for endpoints below it.

    It is made of where the application is mounted, never of what the client says.
    """
    return quote(request.scope.get("root_path", "")) or API


def status_url(api: str, task_id: str) -> str:
    return f"{api}/status/{task_id}"


def task_url(api: str, task_id: str) -> str:
    return f"{api}/task/{task_id}"
