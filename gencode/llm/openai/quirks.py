"""The quirks of an OpenAI-compatible API: its deviations from OpenAI's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_REJECTION = re.compile(r"unsupported|not supported|unrecognized|unknown", re.IGNORECASE)
_INVALID = re.compile(
    r"extra inputs|extra_forbidden|not permitted|not allowed|not valid|invalid|must be|unexpected"
    r"|is not one of",
    re.IGNORECASE,
)

_JSON_MODE = re.compile(r"\bjson[ _](?:mode|object)", re.IGNORECASE)
_NO_PREFIX = re.compile(
    r"(?:message|response) prefill|end with a user message|roles must alternate|expected last role"
    r"|last message is from the assistant",
    re.IGNORECASE,
)
"""Words of messages that reject an answer as the last message."""
_NO_SYSTEM = re.compile(
    r"system role (?:is )?not supported|developer instruction is not enabled|not support 'system'"
    r"|(?:only user and assistant|unknown|unsupported|invalid) roles?\b.{0,40}\b(?:supported|system)",
    re.IGNORECASE,
)
_PREFIX_FIELDS = {"none": "", "deepseek": "prefix", "partial": "partial"}


def header_value(value: str) -> str:
    """Strips white space; raises ValueError for other characters that no header can contain: they would fail
    every call with an obscure error, which might even show the value."""
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        raise ValueError("has characters that no header can carry")
    return value


class Quirks(BaseModel):
    """Part of a provider's configuration.

    prefix            how the model is made to continue a partial answer: "deepseek" (`prefix: true`, at
                      /beta), "partial" (`partial: true`; Moonshot, Qwen), "none" (by an instruction);
                      replaced automatically by "none" when the model rejects it
    json_mode         whether `response_format: json_object` is supported; ended automatically when it is
                      rejected
    max_tokens_field  replaced automatically by max_completion_tokens when the API demands it
    thinking          body fields that control thinking; by default it may be on, and counts against
                      max_tokens. Removed automatically when the model rejects them
    stream_usage      whether `stream_options.include_usage` is supported; likewise
    extra_body        further fields of every request, such as temperature, which is removed automatically
                      when the model rejects it
    system_role       whether messages may have the role "system"; otherwise they precede the first message
                      of the user; ended automatically when it is rejected
    headers           further headers of every request; may contain secrets
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    prefix: Literal["none", "deepseek", "partial"] = "none"
    json_mode: bool = True
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    thinking: Mapping[str, Any] = Field(default_factory=dict)
    stream_usage: bool = True
    system_role: bool = True
    extra_body: Mapping[str, Any] = Field(default_factory=dict)
    headers: Mapping[str, Annotated[str, AfterValidator(header_value)]] = Field(
        default_factory=dict, repr=False
    )


def without_rejected_parameter(quirks: Quirks, error: Mapping[str, Any]) -> Quirks | None:
    """The quirks without the parameter that a 400 or 422 error rejects; None for other errors.

    The same error never changes the result again, so repeated attempts end.
    """
    code, text, param = (str(error.get(key) or "") for key in ("code", "message", "param"))
    said = f"{code} {text}"
    if quirks.system_role and _NO_SYSTEM.search(text):
        return quirks.model_copy(update={"system_role": False})
    if _REJECTION.search(said):
        if quirks.max_tokens_field == "max_tokens" and _names(param, text, "max_tokens"):
            return quirks.model_copy(update={"max_tokens_field": "max_completion_tokens"})
    elif not _INVALID.search(said):
        return None
    if quirks.json_mode and _JSON_MODE.search(text):
        return quirks.model_copy(update={"json_mode": False})
    if "temperature" in quirks.extra_body and _names(param, text, "temperature"):
        others = {name: value for name, value in quirks.extra_body.items() if name != "temperature"}
        return quirks.model_copy(update={"extra_body": others})
    if any(_names(param, text, field) for field in quirks.thinking):
        return quirks.model_copy(update={"thinking": {}})
    if quirks.json_mode and _names(param, text, "response_format"):
        return quirks.model_copy(update={"json_mode": False})
    if quirks.stream_usage and ("include_usage" in (param, text) or _names(param, text, "stream_options")):
        return quirks.model_copy(update={"stream_usage": False})
    return None


def rejects_prefix(quirks: Quirks, error: Mapping[str, Any]) -> bool:
    """Whether a 400 or 422 error rejects the field that asks for native prefix completion."""
    field, text = _PREFIX_FIELDS[quirks.prefix], f"{error.get('message')} {error.get('param')}"
    if _NO_PREFIX.search(text):
        return bool(field)
    is_rejection = bool(_REJECTION.search(text) or _INVALID.search(text))
    return is_rejection and bool(field and re.search(rf"\b{field}\b", text))


def _names(param: str, text: str, field: str) -> bool:
    return param.partition(".")[0] == field if param else bool(re.search(rf"\b{re.escape(field)}\b", text))
