from __future__ import annotations

import httpx
import pytest

from gencode.domain.errors import Transient
from gencode.githosts import responses
from gencode.githosts.errors import GitHubInvalid, GitHubRateLimit, GitHubUnavailable, HostError
from gencode.githosts.github import reports_taken_name
from gencode.githosts.host_identity import github_identity
from gencode.githosts.http_client import HttpReply
from gencode.githosts.responses import error_text, json_object

NOW = 1_800_000_000.0


def reply(status: int, content: bytes = b"{}", **headers: str) -> HttpReply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply(status=status, headers=httpx.Headers(named), content=content)


def failure(reply: HttpReply, secrets: tuple[str, ...], now: float) -> HostError:
    return responses.status_error(reply, github_identity(), "it needs more", secrets, now)


@pytest.mark.parametrize(
    "errors", [None, "x", {"field": "name"}, [None, 1, {"message": {}}], [{"field": "name"}]]
)
def test_errors_of_any_shape_are_accepted(errors: object) -> None:
    body = {"message": "No", "errors": errors}
    assert not reports_taken_name(body)
    assert error_text(body).startswith("No")


def test_a_long_field_name_before_each_of_many_lines_is_bounded() -> None:
    text = error_text({"message": {"x" * 100_000: [str(n) for n in range(1000)]}})
    assert text.startswith("xxx")
    assert len(text) < 100_000


def test_a_taken_name_is_recognised_by_the_field_alone() -> None:
    taken = {"field": "name", "message": "name already exists on this account"}
    assert reports_taken_name({"errors": [{"field": "x"}, taken]})
    assert not reports_taken_name({"message": "name already exists on this account", "errors": []})


def test_a_rate_limit_reset_in_the_past_waits_a_second() -> None:
    error = failure(reply(403, x_ratelimit_remaining="0", x_ratelimit_reset="17"), (), NOW)
    assert isinstance(error, GitHubRateLimit)
    assert error.retry_after == 1


def test_a_rate_limit_without_a_valid_reset_waits_a_minute() -> None:
    error = failure(reply(429, x_ratelimit_remaining="0", x_ratelimit_reset="soon"), (), NOW)
    assert isinstance(error, GitHubRateLimit)
    assert error.retry_after == 60


def test_a_server_error_has_its_retry_after() -> None:
    error = failure(reply(503, b"<html>", retry_after="7"), (), NOW)
    assert isinstance(error, GitHubUnavailable)
    assert error.retry_after == 7


def test_an_unknown_client_error_is_not_transient() -> None:
    error = failure(reply(451, b'{"message": "unavailable for legal reasons"}'), (), NOW)
    assert isinstance(error, GitHubInvalid)
    assert not isinstance(error, Transient)
    assert "451" in error.message


def test_only_a_json_object_is_a_body() -> None:
    assert json_object(reply(200, b'{"a": 1}')) == {"a": 1}
    assert [json_object(reply(200, content)) for content in (b"1", b"null", b"\xff", b"[{}]")] == [None] * 4
