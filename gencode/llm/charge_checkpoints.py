"""The checkpoints that account for model calls without a stored answer.

call:RANDOM:ABOUT   written before a call is sent: the usage reserved for it. Overwritten with no usage by the
                    commit that stores the call's answer or its charge. One that still has its reserve
                    belongs to a call in progress when the process was killed: the provider may have billed
                    an unknown amount, so the full reservation is charged
wasted:RANDOM       the usage of a call that broke off, or whose answer could not be used
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from gencode.llm.port import Usage

CALL = "call"
UNUSED = "wasted"


class _Charge(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    usage: Usage


def call_name(about: str) -> str:
    """A new name for one call."""
    return f"{CALL}:{secrets.token_hex(4)}:{about}"


def reserved(name: str, reserve: Usage) -> Mapping[str, str]:
    """The checkpoint of a call that is about to be sent."""
    return {name: _Charge(usage=reserve).model_dump_json()}


def settled(name: str, unused: Usage | None = None) -> Mapping[str, str]:
    """The checkpoints of a call that has ended. `unused`: its usage, unless its answer is stored."""
    closed = reserved(name, Usage())
    if not unused:
        return closed
    return {**closed, f"{UNUSED}:{secrets.token_hex(4)}": _Charge(usage=unused).model_dump_json()}


def open_calls(checkpoints: Mapping[str, str]) -> dict[str, Usage]:
    """The reserves of unsettled calls, by checkpoint: the calls are in progress, or were when the process was
    killed."""
    found = {
        name: _Charge.model_validate_json(text).usage
        for name, text in checkpoints.items()
        if name.startswith(f"{CALL}:")
    }
    return {name: usage for name, usage in found.items() if usage != Usage()}


def subject(name: str) -> str:
    """The subject of the call of this checkpoint."""
    return name.split(":", 2)[2]


def usages_without_answer(checkpoints: Mapping[str, str]) -> list[Usage]:
    """The usages of all calls in a task's checkpoints whose answers are not stored."""
    prefixes = (f"{CALL}:", f"{UNUSED}:")
    stored = [text for name, text in checkpoints.items() if name.startswith(prefixes)]
    return [_Charge.model_validate_json(text).usage for text in stored]
