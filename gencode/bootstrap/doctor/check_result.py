"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "fault"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """about    what was checked
    state    ok; note: it works or could not be checked, and deserves attention; fault: it will not work
    message  what was found
    advice   what to do; empty for ok

    The fields are those of `gencode doctor --json`.
    """

    about: str
    state: State
    message: str
    advice: str = ""


def ok(about: str, message: str) -> CheckResult:
    return CheckResult(about=about, state="ok", message=message)


def note(about: str, message: str, advice: str = "") -> CheckResult:
    return CheckResult(about=about, state="note", message=message, advice=advice)


def fault(about: str, message: str, advice: str) -> CheckResult:
    return CheckResult(about=about, state="fault", message=message, advice=advice)
