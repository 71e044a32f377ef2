"""Maps the finish reasons of servers to end marks."""

from __future__ import annotations

from enum import IntEnum


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


def mark_of(reason: object) -> Mark:
    """UNKNOWN for a word that no server is known to use."""
    if not isinstance(reason, str):
        return Mark.NONE
    return _BY_NAME.get(reason.strip().casefold(), Mark.UNKNOWN)
