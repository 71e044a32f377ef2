"""Finds the error object in a server's response, in any of the known shapes.

{"error": {...}}  {"error": "..."}  [{"error": {...}}]  {"detail": ...}  {"errors": [...]}
{"code", "message"}  {"code", "msg"}  {"header": {"code"}}  {"base_resp": {"status_code", "status_msg"}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_MESSAGES = (
    *("message", "msg", "status_msg", "detail", "error_msg", "error_message", "error_description"),
    *("faultstring", "Message", "errmsg", "errorMessage", "title", "reason"),
)
_CONTAINERS = ("error", "errors", "header", "base_resp", "detail", "message", "fault", "Response", "Error")
_SIGNS = frozenset(
    {"type", "message", "msg", "header", "base_resp", "error_code", "errcode", "Response", "success"}
)
_MAX_DEPTH = 5


def error_in(page: bytes) -> Mapping[str, Any]:
    """The error object in an error page; a page without one becomes the message of one."""
    text = page.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"message": text}
    return as_error(found, text)


def error_object(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error in an event of a stream; None if it has none."""
    found = event.get("error") or _error_of_choice(event)
    if found is True:  # a flag beside the message
        return as_error({**event, "error": None}, _dumped(event))
    if found:
        return as_error(found, _dumped(found))
    if event.get("object") != "error" and _SIGNS.isdisjoint(event):  # almost every event
        return None
    return as_error(event, _dumped(event)) if _is_error(event) else None


def as_error(found: object, text: str = "") -> Mapping[str, Any]:
    """An error object with a `message` that is a text. `text`: the default message.

    What an inner object lacks (its code, type or parameter) is taken from the outer one.
    """
    error = _fields(found, 0)
    if str(error.get("message")).startswith("{"):  # a gateway quotes the page of the server behind it
        error |= {name: value for name, value in error_in(str(error["message"]).encode()).items() if value}
    return {**error, "message": _with_cause(error, error.get("message") or text)}


def _fields(found: object, depth: int) -> dict[str, Any]:
    if isinstance(found, str):
        return {"message": found}
    if isinstance(found, list) and found and depth < _MAX_DEPTH:
        return _fields(found[0], depth + 1)
    if not isinstance(found, dict):
        return {}
    inner: dict[str, Any] = {}
    for name in _CONTAINERS:
        if depth < _MAX_DEPTH and name in found:
            inner = _fields(found[name], depth + 1)
        if inner.get("message"):
            break
    told = (found[name] for name in _MESSAGES if isinstance(found.get(name), str) and found[name])
    message = next(told, "") or inner.get("message", "")
    own = {name: value for name, value in found.items() if value is not None}
    if "Code" in own:  # Tencent Cloud
        own.setdefault("code", own["Code"])
    return {**own, **inner, "message": message, **_validation_error(found)}


def _validation_error(found: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of FastAPI's `detail`: the parameter is in its `loc`."""
    place, text = found.get("loc"), found.get("msg")
    if not (isinstance(place, list) and isinstance(text, str)):
        return {}
    names = [str(name) for name in place if name != "body"]
    return {"message": f"{'.'.join(names)}: {text}", "param": names[0] if names else None}


def _with_cause(error: Mapping[str, Any], message: str) -> str:
    """The message, with that of the gateway's upstream server if there is one."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if not raw or not isinstance(raw, str | dict):
        return message
    cause = error_in(raw.encode())["message"] if isinstance(raw, str) else as_error(raw)["message"]
    return f"{message}: {cause}" if cause and cause not in message else message


def _error_of_choice(event: Mapping[str, Any]) -> object:
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("error") if isinstance(first, dict) else None


def _is_error(event: Mapping[str, Any]) -> bool:
    if "error" in (event.get("object"), event.get("type")):
        return True
    if any(_is_failure(event.get(name)) for name in ("header", "base_resp")):
        return True
    response = event.get("Response")
    if isinstance(response, dict) and response.get("Error"):
        return True
    if event.get("choices") or not any(isinstance(event.get(name), str) for name in _MESSAGES):
        return False
    is_named = event.get("success") is False or event.get("status") in ("error", "failed")
    return is_named or _is_failure(event)


def _is_failure(found: object) -> bool:
    """Whether the code means failure. (Some servers send a code with every response.)"""
    if not isinstance(found, dict):
        return False
    code = found.get("code", found.get("status_code", found.get("error_code", found.get("errcode"))))
    return isinstance(code, int | str) and str(code) not in ("", "0", "200", "None")


def _dumped(found: object) -> str:
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str)
