"""Reads one event of a completion, in every shape that servers use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gencode.llm.openai.finish_reasons import FLAGGED, Mark, flag_of, known_mark, mark_of

_REASONING = ("reasoning_content", "reasoning", "thinking", "thought", "reasoning_text", "reasoning_details")
_REASONING_PARTS = ("thinking", "reasoning", "thought", "reasoning.text", "reasoning.summary")
_REFUSAL_PARTS = ("refusal",)
_TEXT_PARTS = ("", None, "text", "output_text", "text_delta", "input_text")
_PART_TEXT = ("text", "content", "thinking", "reasoning", "summary", "refusal")
_OTHER_MARKS = frozenset(
    {"native_finish_reason", "stop_reason", "done_reason", "finishReason", "stop_type", "finish_details"}
)
_MAX_DEPTH = 4
_PLAIN_EVENT = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier", "provider"}
)
_PLAIN_CHOICE = frozenset({"index", "delta", "finish_reason", "logprobs"})
_PLAIN_DELTA = frozenset({"content", "role"})


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionEvent:
    """What one event adds to the answer.

    is_message  the text is that of a `message`, not of a `delta`
    refusal     the model's own words
    has_tool    a tool is called
    is_alive    the model is generating, be it only something that is no part of the answer
    mark        why the answer ends; `reason` is the server's word for it
    other_text  another choice than the first has text
    unreadable  what the event has in place of text, such as a number; "" if nothing
    """

    text: str = ""
    is_message: bool = False
    reasoning: str = ""
    refusal: str = ""
    has_tool: bool = False
    is_alive: bool = False
    mark: Mark = Mark.NONE
    reason: str = ""
    other_text: bool = False
    unreadable: str = ""


NOTHING = CompletionEvent()


def plain_text(event: Mapping[str, Any]) -> str | None:
    """The text of an event that holds nothing else, as almost every one of almost every server; else None."""
    choices = event.get("choices")
    if not (isinstance(choices, list) and len(choices) == 1 and _PLAIN_EVENT.issuperset(event)):
        return None
    choice = choices[0]
    if not (isinstance(choice, dict) and _PLAIN_CHOICE.issuperset(choice)) or choice.get("index"):
        return None
    delta = choice.get("delta")
    if choice.get("finish_reason") or event.get("usage") or not isinstance(delta, dict):
        return None
    text = delta.get("content")
    return text if isinstance(text, str) and _PLAIN_DELTA.issuperset(delta) else None


def completion_event(event: Mapping[str, Any]) -> CompletionEvent:
    """What the first choice of the event contributes; NOTHING if the event has neither a choice nor an end
    mark."""
    found = _first_choice(event)
    mark, reason = flag_of(event), ""
    if (outer := known_mark(event.get("finish_reason"))) > mark:
        mark, reason = outer, str(event["finish_reason"])
    return replace(found, mark=mark, reason=reason or FLAGGED[mark]) if mark > found.mark else found


def _first_choice(event: Mapping[str, Any]) -> CompletionEvent:
    choices = event.get("choices")
    if choices is None and isinstance(event.get("message"), dict):
        choices = [event]  # Ollama's own API
    if isinstance(choices, dict):
        choices = [choices]
    if not isinstance(choices, list):
        return NOTHING
    for choice in choices:
        if isinstance(choice, dict) and choice.get("index") in (0, None, "0"):
            return _choice(choice)
    others = (_choice(choice).text for choice in choices if isinstance(choice, dict))
    return CompletionEvent(other_text=any(others)) if choices else NOTHING


def _choice(choice: Mapping[str, Any]) -> CompletionEvent:
    delta = choice.get("delta")
    is_message = not delta and bool(choice.get("message"))
    if is_message:
        delta = choice["message"]
    if delta is None:
        delta = choice.get("text")  # the older completions API
    mark, reason = _mark(choice)
    if not delta:
        return CompletionEvent(mark=mark, reason=reason) if mark else NOTHING
    if not isinstance(delta, dict):
        delta = {"content": delta}
    content = delta.get("content")
    if isinstance(content, str) and len(delta) == 1:  # almost every event of almost every server
        return CompletionEvent(
            text=content, is_message=is_message, is_alive=bool(content), mark=mark, reason=reason
        )
    return _delta(delta, is_message, mark, reason)


def _delta(delta: Mapping[str, Any], is_message: bool, mark: Mark, reason: str) -> CompletionEvent:
    content = delta.get("content")
    text, thought, refusal, unreadable = (
        (content, "", "", "") if isinstance(content, str) else _parts(content)
    )
    reasoning = next((found for name in _REASONING if (found := _all_text(delta.get(name)))), "")
    return CompletionEvent(
        text=text,
        is_message=is_message,
        reasoning=reasoning or thought,
        refusal=refusal + _all_text(delta.get("refusal")),
        has_tool=bool(delta.get("tool_calls") or delta.get("function_call")),
        is_alive=any(value for name, value in delta.items() if name != "role"),
        mark=mark,
        reason=reason,
        unreadable=unreadable,
    )


def _parts(content: object) -> tuple[str, str, str, str]:
    """Text, reasoning and refusal of content that is a list of parts, or one part; and what cannot be read:
    a number (6 may have been "06", "6.0" or " 6"), or a part of an unknown type that has text."""
    text, reasoning, refusal, unreadable = [], [], [], ""
    for part in content if isinstance(content, list) else [content]:
        kind = part.get("type") if isinstance(part, dict) else ""
        if kind in _REASONING_PARTS:
            reasoning.append(_all_text(part))
        elif kind in _REFUSAL_PARTS:
            refusal.append(_all_text(part))
        elif isinstance(part, int | float):
            unreadable = f"the {type(part).__name__} {str(part)[:40]}"
        elif kind in _TEXT_PARTS:
            text.append(_all_text(part))
        elif _all_text(part):
            unreadable = f"a part of type {str(kind)[:40]}"
    return "".join(text), "".join(reasoning), "".join(refusal), unreadable


def _all_text(value: object, depth: int = 0) -> str:
    """The text in a string, a part, or a list of parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and depth < _MAX_DEPTH:
        return "".join([_all_text(item, depth + 1) for item in value])
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        return next((text for name in _PART_TEXT if (text := _all_text(value.get(name), depth + 1))), "")
    return ""


def _mark(choice: Mapping[str, Any]) -> tuple[Mark, str]:
    """The end mark with the highest precedence. An unknown value counts only in `finish_reason`, not in the
    alternative fields."""
    reason = choice.get("finish_reason")
    mark = flag_of(choice)
    if mark:
        return mark, FLAGGED[mark]
    delta = choice.get("delta")
    if not reason and isinstance(delta, dict):
        reason = delta.get("finish_reason")
    if not reason and _OTHER_MARKS.isdisjoint(choice):
        return Mark.NONE, ""
    mark = mark_of(reason)
    for name in _OTHER_MARKS:
        other = choice.get(name)
        if isinstance(other, dict):
            other = other.get("type")
        if other and (found := known_mark(other)) > mark:
            mark, reason = found, other
    return mark, reason if isinstance(reason, str) else ""
