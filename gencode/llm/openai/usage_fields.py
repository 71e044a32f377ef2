"""Reads the token counts of a response, from any of the fields that servers use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gencode.llm.port import Usage

_PROMPT = (
    *("prompt_tokens", "input_tokens", "prompt_eval_count", "prompt_n"),
    *("promptTokens", "inputTokens", "promptTokenCount"),
)
_COMPLETION = (
    *("completion_tokens", "output_tokens", "eval_count", "predicted_n"),
    *("completionTokens", "outputTokens", "candidatesTokenCount"),
)
_CACHED = ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_n")
_DETAILS = ("prompt_tokens_details", "input_tokens_details")
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")
_NAMES = ("usage", "token_usage", "usageMetadata", "usage_metadata")
_INSIDE = ("text", "billed_units", "tokens")
"""Objects within a usage that hold its counts."""
_ELSEWHERE = frozenset({"x_groq", "timings", "prompt_eval_count", "eval_count", "meta", *_NAMES[1:]})


def usage_of(event: Mapping[str, Any]) -> Usage | None:
    """The usage in an event; None if it has none, or counts nothing.

    It is in `usage` of the event, of its first choice or of `x_groq`; in the event itself (Ollama); or in
    `timings` (llama.cpp), whose prompt tokens exclude the cached ones.
    """
    choices = event.get("choices")
    first = choices[0] if choices and isinstance(choices, list) else None
    usage = event.get("usage") or (_of_choice(first) if isinstance(first, dict) else None)
    if isinstance(usage, list) and len(usage) == 1:
        usage = usage[0]
    if isinstance(usage, dict):
        return _counted(_read(usage))
    return None if _ELSEWHERE.isdisjoint(event) else _usage_elsewhere(event)


def _of_choice(choice: Mapping[str, Any]) -> Any:
    delta = choice.get("delta")
    return choice.get("usage") or (delta.get("usage") if isinstance(delta, dict) else None)


def merged(earlier: Usage | None, later: Usage | None) -> Usage | None:
    """A server may send a growing usage with every event, and its parts in different events."""
    if earlier is None or later is None:
        return later or earlier
    return Usage(
        prompt=max(earlier.prompt, later.prompt),
        completion=max(earlier.completion, later.completion),
        cached=max(earlier.cached, later.cached),
    )


def _usage_elsewhere(event: Mapping[str, Any]) -> Usage | None:
    groq, timings = event.get("x_groq"), event.get("timings")
    usage = groq.get("usage") if isinstance(groq, dict) else event
    usage = next((event[name] for name in (*_NAMES[1:], "meta") if isinstance(event.get(name), dict)), usage)
    found = _counted(_read(usage)) if isinstance(usage, dict) else None
    return found or (_timings(timings) if isinstance(timings, dict) else None)


def _counted(usage: Usage) -> Usage | None:
    return usage if usage.prompt or usage.completion else None


def _read(usage: Mapping[str, Any]) -> Usage:
    inner = next((usage[name] for name in _INSIDE if isinstance(usage.get(name), dict)), None)
    if inner and not _number(usage, _PROMPT):
        usage = inner
    details: Mapping[str, Any] = next(
        (usage[name] for name in _DETAILS if isinstance(usage.get(name), dict)), {}
    )
    prompt = _number(usage, _PROMPT)
    return Usage(
        prompt=prompt,
        completion=_completion(usage, prompt),
        cached=_number(details, _CACHED) or _number(usage, _CACHED),
    )


def _timings(timings: Mapping[str, Any]) -> Usage | None:
    usage = _read(timings)
    return _counted(
        Usage(prompt=usage.prompt + usage.cached, completion=usage.completion, cached=usage.cached)
    )


def _number(fields: Mapping[str, Any], names: tuple[str, ...]) -> int:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**53:
            return int(value)
    return 0


def _completion(usage: Mapping[str, Any], prompt: int) -> int:
    """Some servers leave reasoning out of the completion: it shows in the total, and is billed."""
    told, total, details = (
        _number(usage, _COMPLETION),
        _number(usage, ("total_tokens",)),
        usage.get("completion_tokens_details"),
    )
    reasoning = _number(details, ("reasoning_tokens",)) if isinstance(details, dict) else 0
    return max(told, min(total - prompt, told + reasoning)) if reasoning else told
