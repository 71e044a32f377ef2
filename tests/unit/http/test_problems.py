from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain import errors
from gencode.domain.errors import (
    Conflict,
    GencodeError,
    Internal,
    Invalid,
    NotFound,
    QueueFull,
    RequestError,
    SecretFound,
    StoreError,
    Transient,
    TreeError,
    error_classes,
)
from gencode.http.problem_titles import CHINESE_TITLES
from gencode.http.problems import on_gencode_error, on_http_exception, problem_response, unexpected
from gencode.http.rate_limit import OverLimit


def body(response: Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    found: dict[str, Any] = json.loads(bytes(response.body))
    return found


@pytest.mark.parametrize(
    "error",
    [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GencodeError)],
)
def test_every_error_makes_a_problem(error: type[GencodeError]) -> None:
    made = error("what to do", []) if issubclass(error, Invalid) else error("what to do")
    problem = body(problem_response(made))
    assert problem["type"] == f"urn:gencode:error:{error.code}"
    assert (problem["status"], problem["code"], problem["detail"]) == (
        error.http_status,
        error.code,
        "what to do",
    )
    assert problem["retryable"] == issubclass(error, Transient)
    assert problem["title"]


def test_retry_after_is_in_whole_seconds() -> None:
    assert problem_response(QueueFull("full", retry_after=1.2)).headers["retry-after"] == "2"
    assert problem_response(QueueFull("full")).headers["retry-after"] == "1"
    assert "retry-after" not in problem_response(NotFound("no")).headers


def test_lone_surrogates_are_replaced() -> None:
    broken = {"field": "a\ud800", "rule": "extra_forbidden", "message": "\udfff"}
    problem = body(problem_response(Invalid("x\ud800y", [broken])))
    assert problem["detail"] == "x?y"
    assert problem["errors"] == [{"field": "a?", "rule": "extra_forbidden", "message": "?"}]


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "NOT_FOUND"), (405, "METHOD_NOT_ALLOWED"), (413, "BODY_TOO_LARGE"), (400, "MALFORMED")],
)
async def test_starlettes_own_errors_are_problems_and_keep_their_headers(status: int, code: str) -> None:
    request = Request({"type": "http", "method": "PUT", "path": "/a", "headers": []})
    response = await on_http_exception(request, HTTPException(status, headers={"Allow": "GET"}))
    assert (response.status_code, body(response)["code"]) == (status, code)
    assert response.headers["allow"] == "GET"


async def test_a_rate_limit_error_has_the_ratelimit_headers() -> None:
    request = Request({"type": "http", "headers": []})
    error = OverLimit("slow down", 7, {"RateLimit-Limit": "3"})
    headers = (await on_gencode_error(request, error)).headers
    assert (headers["retry-after"], headers["ratelimit-limit"]) == ("7", "3")


def test_a_bug_gives_a_reference_and_no_detail() -> None:
    response = unexpected("/a", ZeroDivisionError("with a secret"))
    problem = body(response)
    assert (response.status_code, problem["code"]) == (500, "INTERNAL")
    assert "secret" not in problem["detail"]


async def test_the_response_to_a_long_path_is_short() -> None:
    request = Request({"type": "http", "method": "GET", "path": "/" + "x" * 100_000, "headers": []})
    response = await on_http_exception(request, HTTPException(404))
    assert body(response)["detail"] == "there is nothing at /" + "x" * 199 + "..."


CHINESE = {
    "zh": True,
    "zh-CN,en;q=0.5": True,
    "en;q=0.1, zh": True,
    "en, zh;q=0.5": False,
    "": False,
    "fr": False,
}


@pytest.mark.parametrize("accepted", CHINESE)
async def test_title_and_detail_are_in_chinese_for_who_prefers_it(accepted: str) -> None:
    headers = [(b"accept-language", accepted.encode())] if accepted else []
    request = Request({"type": "http", "method": "GET", "path": "/a", "headers": headers})
    problem = body(await on_gencode_error(request, NotFound("there is no such task")))
    assert problem["detail"] == ("没有这个任务" if CHINESE[accepted] else "there is no such task")
    assert problem["title"] == ("不存在，或属于他人" if CHINESE[accepted] else "Not Found")


def test_every_code_that_refuses_a_request_has_a_chinese_title() -> None:
    import_module("gencode.workspace.routes")  # with the errors of the workspace
    served = error_classes(RequestError, StoreError, Conflict, TreeError, SecretFound, Internal)
    codes = {error.code for error in served if error.__module__.startswith("gencode.")}
    assert codes - CHINESE_TITLES.keys() == set()
