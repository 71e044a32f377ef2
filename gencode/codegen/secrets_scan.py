"""Looks through everything that would be pushed for what must not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from gencode.codegen.secret_rules import RULES
from gencode.security.redaction import redact

OWN = "service-secret"
"""The rule for secrets of this very service."""
SHORTEST_OWN = 12
"""Characters; a shorter secret of ours would be found in innocent files ("changeme")."""
MOST = 100
"""Findings that are told."""
COMMIT_MESSAGE = "(commit message)"
FILE_NAMES = "(file names)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Where, and by which rule; never what. `line` counts from 1."""

    path: str
    line: int
    rule: str


def scan(files: Mapping[str, str], message: str, own: Sequence[str] = ()) -> list[Finding]:
    """At most MOST findings, those of our `own` secrets first. Takes about a second for 32 MB of files."""
    texts = {**files, COMMIT_MESSAGE: message, FILE_NAMES: "\n".join(files)}
    places = [(redact(name, own), text) for name, text in texts.items()]
    ours = (found for place, text in places for found in _own(place, text, own))
    others = (found for place, text in places for found in _by_rules(place, text))
    return [*islice(ours, MOST), *islice(others, MOST)][:MOST]


def holders(files: Mapping[str, str], own: Sequence[str]) -> list[str]:
    """The paths, fit to be told, of files that hold a secret of this service."""
    return [redact(path, own) for path, text in files.items() if any(_own(path, f"{path}\n{text}", own))]


def _own(place: str, text: str, secrets: Sequence[str]) -> Iterator[Finding]:
    for secret in secrets:
        if len(secret) >= SHORTEST_OWN and (at := text.find(secret)) >= 0:
            yield Finding(path=place, line=_queue(text, at), rule=OWN)


def _by_rules(place: str, text: str) -> Iterator[Finding]:
    """One finding for each line, in their order; where several rules match, the first of them is told."""
    found: dict[int, str] = {}
    for rule in RULES:
        if any(hint in text for hint in rule.hints):
            for at in islice(rule.find(text), MOST):
                found.setdefault(_queue(text, at), rule.name)
    for line in sorted(found):
        yield Finding(path=place, line=line, rule=found[line])


def _queue(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
