"""Maps the finish reasons of servers to end marks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Mark(IntEnum):
    """Why an answer ends. Of several marks the greatest counts: a proxy that adds its own "stop" does not
    hide that the answer was cut or refused."""

    NONE = 0
    STOP = 1
    UNKNOWN = 2
    LENGTH = 3
    TOOL = 4
    UNAVAILABLE = 5
    REFUSED = 6


_MARKS = {
    Mark.NONE: ("", "null", "none"),
    Mark.STOP: (
        "stop",
        "eos",
        "eos_token",
        "end_turn",
        "stop_sequence",
        "stop_token",
        "end",
        "complete",
        "completed",
        "finish_reason_stop",
        "eosfound",
        "stopstringfound",
        "word",
        "finish",
        "finished",
        "done",
        "normal",
    ),
    Mark.LENGTH: (
        "length",
        "max_tokens",
        "max_output_tokens",
        "max_length",
        "max_new_tokens",
        "model_length",
        "token_limit",
        "model_context_window_exceeded",
        "finish_reason_max_tokens",
        "maxpredictedtokensreached",
        "contextlengthreached",
        "context_length_exceeded",
        "limit",
        "max_token",
        "max_context",
        "max_context_length",
        "context_length",
        "context_window",
        "token_limit_reached",
        "output_limit",
        "truncated",
        "incomplete",
    ),
    Mark.TOOL: ("tool_calls", "tool_call", "tool_use", "function_call", "malformed_function_call"),
    Mark.UNAVAILABLE: (
        "insufficient_system_resource",
        "network_error",
        "error",
        "overloaded",
        "engine_overloaded",
        "server_error",
        "upstream_error",
        "timeout",
        "modelunloaded",
        "abort",
        "aborted",
        "cancelled",
        "canceled",
        "interrupted",
    ),
    Mark.REFUSED: (
        "content_filter",
        "content_filtered",
        "refusal",
        "safety",
        "sensitive",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "image_safety",
        "guardrail_intervened",
        "error_toxic",
        "content_policy_violation",
        "content_moderation",
        "moderation",
        "flagged",
        "blocked",
    ),
}
_BY_NAME = {name: mark for mark, names in _MARKS.items() for name in names}


FLAGGED = {Mark.NONE: "", Mark.LENGTH: "truncated", Mark.REFUSED: "content_filter"}
"""The words for what a field shows beside the end mark."""
_CUT = ("truncated", "is_truncated", "stopped_limit")
_FILTERED = ("output_sensitive", "filtered")
_FILTER_RESULTS = ("content_filter_results", "content_filter_result", "moderation")
_FLAGS = frozenset((*_CUT, *_FILTERED, *_FILTER_RESULTS, "status", "incomplete_details"))


def flag_of(found: Mapping[str, Any]) -> Mark:
    """LENGTH or REFUSED if a field beside the end mark says that the answer was cut or filtered; else NONE.

    {"truncated": true}   {"content_filter_results": {"hate": {"filtered": true, "severity": "high"}}}
    """
    if _FLAGS.isdisjoint(found):
        return Mark.NONE
    results = (found.get(name) for name in _FILTER_RESULTS)
    if any(found.get(name) is True for name in _FILTERED) or any(map(_is_filtered, results)):
        return Mark.REFUSED
    details = found.get("incomplete_details")
    if isinstance(details, dict) and known_mark(details.get("reason")) is Mark.REFUSED:
        return Mark.REFUSED
    is_cut = found.get("status") == "incomplete" or bool(details)
    return Mark.LENGTH if is_cut or any(found.get(name) is True for name in _CUT) else Mark.NONE


def _is_filtered(results: object) -> bool:
    """Whether a category of a filter's results struck. One that was detected and let through did not."""
    if not isinstance(results, dict):
        return False
    kinds = [results, *(kind for kind in results.values() if isinstance(kind, dict))]
    return any(kind.get("filtered") is True or kind.get("flagged") is True for kind in kinds)


def known_mark(reason: object) -> Mark:
    """NONE for a word that no server is known to use."""
    mark = mark_of(reason)
    return Mark.NONE if mark is Mark.UNKNOWN else mark


def mark_of(reason: object) -> Mark:
    """UNKNOWN for a word that no server is known to use."""
    if not isinstance(reason, str):
        return Mark.NONE
    return _BY_NAME.get(reason.strip().casefold(), Mark.UNKNOWN)
