"""What one file says about itself; rules across files need nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from gencode.codegen.validation.finding import Finding, Rule
from gencode.codegen.validation.symbols import UNKNOWN, Symbols


@dataclass(frozen=True, kw_only=True, slots=True)
class Stub:
    """A body that stands for code, unless somebody extends the class around it (`owner`)."""

    owner: str
    finding: Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    symbols: Symbols = UNKNOWN
    findings: tuple[Finding, ...] = ()
    stubs: tuple[Stub, ...] = ()


def unreadable(path: str, line: int, reason: str) -> Reading:
    """The reading of a file that does not parse: nothing is known of what it defines."""
    where = f" (line {line})" if line else ""
    message = f"{path} does not parse{where}: {reason}. Write the whole file again, complete and valid."
    return Reading(findings=(Finding(path=path, line=line, rule=Rule.SYNTAX, message=message),))


def placeholder(path: str, line: int, what: str) -> Finding:
    message = f"{what} in line {line} of {path} stands for code that is missing: write that code out"
    return Finding(path=path, line=line, rule=Rule.PLACEHOLDER, message=message)
