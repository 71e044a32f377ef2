"""In what an OpenAI-compatible API differs from the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_REJECTED = re.compile(r"unsupported|not supported|unrecognized|unknown", re.IGNORECASE)


def header_value(value: str) -> str:
    """What no header can carry would fail every call, and obscurely; its text might even be shown then."""
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        raise ValueError("has characters that no header can carry")
    return value


class Quirks(BaseModel):
    """Part of a provider's configuration.

    prefix            how the model is made to go on from what it said: "deepseek" (`prefix: true`, at /beta),
                      "partial" (`partial: true`; Moonshot, Qwen), "none" (asked in words)
    json_mode         whether `response_format: json_object` is known
    max_tokens_field  switched by itself to max_completion_tokens when the API demands it
    thinking          body fields that settle thinking; unsaid it may be on, and is paid from max_tokens.
                      Dropped by itself when the model does not know them
    stream_usage      whether `stream_options.include_usage` is known
    extra_body        more fields of every request, such as temperature
    headers           more headers of every request; may hold secrets
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    prefix: Literal["none", "deepseek", "partial"] = "none"
    json_mode: bool = True
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    thinking: Mapping[str, Any] = Field(default_factory=dict)
    stream_usage: bool = True
    extra_body: Mapping[str, Any] = Field(default_factory=dict)
    headers: Mapping[str, Annotated[str, AfterValidator(header_value)]] = Field(
        default_factory=dict, repr=False
    )


def adapt(quirks: Quirks, error: Mapping[str, Any]) -> Quirks | None:
    """Quirks without the parameter that a 400 complains of, or None when that is not what it says.

    Never adapts twice to the same complaint, so trying again with the result comes to an end.
    """
    code, text, param = (str(error.get(key) or "") for key in ("code", "message", "param"))
    if not _REJECTED.search(f"{code} {text}"):
        return None
    if quirks.max_tokens_field == "max_tokens" and _names(param, text, "max_tokens"):
        return quirks.model_copy(update={"max_tokens_field": "max_completion_tokens"})
    if any(_names(param, text, field) for field in quirks.thinking):
        return quirks.model_copy(update={"thinking": {}})
    return None


def _names(param: str, text: str, field: str) -> bool:
    return param == field if param else bool(re.search(rf"\b{re.escape(field)}\b", text))
