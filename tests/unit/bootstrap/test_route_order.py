"""The order in which requests are compared with routes."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Mount, Route

from gencode.bootstrap.app import create_app
from gencode.http.links import API
from tests.servers.service import settings


def test_a_submission_is_compared_with_two_routes_only(tmp_path: Path) -> None:
    first = create_app(settings(tmp_path)).routes[0]
    assert isinstance(first, Mount)
    submission = first.routes[0]
    assert isinstance(submission, Route)
    assert (first.path, submission.path) == (API, "/generate")


def test_no_other_route_is_below_the_api(tmp_path: Path) -> None:
    """It would be hidden by the API, which comes first."""
    _, *others = create_app(settings(tmp_path)).routes
    assert not [route for route in others if getattr(route, "path", "").startswith(API)]
