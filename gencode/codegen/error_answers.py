"""The messages of errors that gateways send as the text of an answer, whole or at its end.

{"error": {"message": "Rate limit reached", "type": "rate_limit"}}        no healthy upstream
"""

from __future__ import annotations

import json
import re

from gencode.codegen.inspected_file import PLAIN, InspectedFile

_ERROR_KEYS = frozenset({"error", "errors", "detail", "error_msg", "error_code"})
_STATUS_KEYS = frozenset({"code", "status", "success", "object", "type"})
_ABOUT_ERRORS = re.compile(
    r"error|fail|mock|fixture|test|sample|example|response|locale|i18n|lang|messages|fault|problem",
    re.IGNORECASE,
)
_ERROR_LINE = re.compile(
    r"(?:\d{3} )?(?:bad gateway|internal server error|service unavailable|gateway time-?out"
    r"|too many requests)\.?|no healthy upstream|upstream (?:connect|request) .{0,200}|error code: ?\d{3,5}"
    r"|request failed with status .{0,80}"
    r"|null|undefined|none|\[object Object\]|stream (?:error|disconnected|interrupted).{0,200}",
    re.IGNORECASE,
)
_ERROR_TAIL = re.compile(
    r"(?:\*\*|\[|⚠️ *)?(?:error|请求超时|网络错误|连接中断)(?:\*\*|\])?\s*[:：\]].{0,200}"
    r"|\[(?:error|错误|请求超时|网络错误|连接中断)\].{0,200}|(?:data: *)?\{\"error\": ?(?:\{\"|\").{0,400}\}",
    re.IGNORECASE,
)
_ERROR_PAGE = re.compile(
    r"(?:<!doctype html>\s*)?<html[^>]*>\s*<head>\s*<title>\s*(?:\d{3}\b[^<]{0,80}"
    r"|[^<]{0,60}\berror)</title>",
    re.IGNORECASE,
)
_ERROR_OBJECT = re.compile(r"(?:data: *)?\{\"error\": ?\{\"message\".{0,400}\}$")
_MAX_MESSAGE = 20_000


def error_message(file: InspectedFile, text: str) -> str:
    """The message of an error, if the text is nothing else."""
    if len(text) > _MAX_MESSAGE:
        return ""
    if _ERROR_LINE.fullmatch(text):
        return "" if file.is_document and text.lower() == "none" else text
    if _ERROR_PAGE.match(text) and not _ABOUT_ERRORS.search(file.path):
        return text if not re.search(r"(?:^|/)\d{3}\b", file.path) else ""
    if text[0] not in "{[" or text[-1] not in "}]" or _ABOUT_ERRORS.search(file.path):
        return ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return text if _is_error(value) else ""


def _is_error(value: object) -> bool:
    if isinstance(value, list):
        return len(value) == 1 and _is_error(value[0])
    if not isinstance(value, dict) or len(value) > 6:
        return False
    if "error" in value and (len(value) == 1 or not _ERROR_KEYS.isdisjoint(value)):
        return isinstance(value["error"], dict | str) and bool(value["error"])
    if len(value) == 1:
        return not _ERROR_KEYS.isdisjoint(value)
    return isinstance(value.get("message", value.get("msg")), str) and not _STATUS_KEYS.isdisjoint(value)


def error_at_end(file: InspectedFile, line: str) -> str:
    """The message of an error with which a gateway ends an answer."""
    if file.language not in PLAIN and not line.startswith(("{", "data:", "[", "**", "⚠️")):
        return ""
    found = _ERROR_TAIL.fullmatch(line) or _ERROR_OBJECT.search(line)
    return found[0] if found and file.language not in ("json", "jsonc", "yaml") else ""
