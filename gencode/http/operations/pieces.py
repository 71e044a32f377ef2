"""Pieces of OpenAPI that every operation is made of."""

from __future__ import annotations

from typing import Any

Part = dict[str, Any]

KEYS: list[Part] = [{"bearer": []}, {"header": []}]
OPEN: list[Part] = []


def operation(name: str, summary: str, answers: Part, **more: Any) -> Part:
    usual = {
        "401": problem("No valid API key") | {"headers": {"WWW-Authenticate": text("Bearer")}},
        "503": problem("The store refuses, or the service stops or has too many connections"),
        "default": problem("Another problem: see its code"),
    }
    return {
        "operationId": name,
        "summary": summary,
        "security": KEYS,
        "responses": usual | answers,
        **more,
    }


def task(name: str, summary: str, answers: Part) -> Part:
    """An operation on one task."""
    where = {"name": "task_id", "in": "path", "required": True, "schema": {"type": "string"}}
    missing = problem("No such task, or another client's")
    return operation(name, summary, answers | {"404": missing}, parameters=[where])


def ref(schema: str) -> Part:
    return {"$ref": f"#/components/schemas/{schema}"}


def body(schema: str, words: str, headers: Part | None = None) -> Part:
    found = {"description": words, "content": {"application/json": {"schema": ref(schema)}}}
    return found | ({"headers": headers} if headers else {})


def plain(media: str, words: str, kind: str = "string") -> Part:
    return {"description": words, "content": {media: {"schema": {"type": kind}}}}


def problem(words: str) -> Part:
    """With Retry-After where waiting helps."""
    headers = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    return {
        "description": words,
        "headers": headers,
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


def limit_headers() -> Part:
    described = {"Limit": "Submissions in a window", "Remaining": "Left", "Reset": "Seconds until it is anew"}
    return {
        f"RateLimit-{name}": {"description": words, "schema": whole()} for name, words in described.items()
    }


def text(words: str) -> Part:
    return {"description": words, "schema": {"type": "string"}}


def header(name: str, words: str, pattern: str = "") -> Part:
    schema = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {"name": name, "in": "header", "description": words, "schema": schema}


def query(name: str, words: str, schema: Part) -> Part:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def whole(least: int = 0, most: int | None = None) -> Part:
    return {"type": "integer", "minimum": least} | ({"maximum": most} if most else {})
