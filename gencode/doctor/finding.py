"""What an examination found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "fault"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """about    what was looked at
    state    ok; note: it works, or could not be seen, and is worth a thought; fault: it will not work so
    message  what was seen
    advice   what to do; empty for ok
    """

    about: str
    state: State
    message: str
    advice: str = ""


def ok(about: str, message: str) -> Finding:
    return Finding(about=about, state="ok", message=message)


def note(about: str, message: str, advice: str = "") -> Finding:
    return Finding(about=about, state="note", message=message, advice=advice)


def fault(about: str, message: str, advice: str) -> Finding:
    return Finding(about=about, state="fault", message=message, advice=advice)
