"""Scans everything that would be pushed for secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from gencode.codegen.secret_rules import RULES
from gencode.security.redaction import redact
from gencode.security.secret_detector import MIN_OWN_SECRET

OWN_SECRET = "service-secret"
"""The rule for secrets of this service itself."""
MAX_FINDINGS = 100
COMMIT_MESSAGE = "(commit message)"
FILE_NAMES = "(file names)"


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretFinding:
    """The place and the rule, never the secret. `line` counts from 1."""

    path: str
    line: int
    rule: str


def scan(files: Mapping[str, str], message: str, own_secrets: Sequence[str] = ()) -> list[SecretFinding]:
    """At most MAX_FINDINGS, those of this service's own secrets first. 32 MB of files take about a second."""
    texts = {**files, COMMIT_MESSAGE: message, FILE_NAMES: "\n".join(files)}
    places = [(redact(name, own_secrets), text) for name, text in texts.items()]
    own = (found for place, text in places for found in _own_secrets(place, text, own_secrets))
    others = (found for place, text in places for found in _by_rules(place, text))
    return [*islice(own, MAX_FINDINGS), *islice(others, MAX_FINDINGS)][:MAX_FINDINGS]


def paths_with_own_secrets(files: Mapping[str, str], own_secrets: Sequence[str]) -> list[str]:
    """The redacted paths of the files that contain a secret of this service, in their text or path."""
    return [
        redact(path, own_secrets)
        for path, text in files.items()
        if any(_own_secrets(path, f"{path}\n{text}", own_secrets))
    ]


def _own_secrets(place: str, text: str, secrets: Sequence[str]) -> Iterator[SecretFinding]:
    for secret in secrets:
        if len(secret) >= MIN_OWN_SECRET and (at := text.find(secret)) >= 0:
            yield SecretFinding(path=place, line=_line(text, at), rule=OWN_SECRET)


def _by_rules(place: str, text: str) -> Iterator[SecretFinding]:
    """One finding for each line, in their order; where several rules match, of the first one."""
    found: dict[int, str] = {}
    for rule in RULES:
        if any(hint in text for hint in rule.hints):
            for at in islice(rule.find(text), MAX_FINDINGS):
                found.setdefault(_line(text, at), rule.name)
    for line in sorted(found):
        yield SecretFinding(path=place, line=line, rule=found[line])


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
