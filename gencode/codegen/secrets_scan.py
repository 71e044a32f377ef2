"""Scans everything that would be pushed for secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


def scanned_texts(files: Mapping[str, str], message: str) -> Mapping[str, str]:
    """All texts that would be pushed, by path or by a description."""
    return {**files, COMMIT_MESSAGE: message, FILE_NAMES: "\n".join(files)}


def own_secret_findings(texts: Mapping[str, str], own_secrets: Sequence[str]) -> list[SecretFinding]:
    """At most MAX_FINDINGS of this service's own secrets; its paths are redacted."""
    found = (
        SecretFinding(path=redact(place, own_secrets), line=line, rule=OWN_SECRET)
        for place, text in texts.items()
        for line in _own_secret_lines(text, own_secrets)
    )
    return list(islice(found, MAX_FINDINGS))


def rule_findings(
    texts: Mapping[str, str], progress: Callable[[int], None] = lambda step: None
) -> list[SecretFinding]:
    """At most MAX_FINDINGS by the rules for others' secrets, with paths as they are.

    progress  called with the index of each text before it is scanned
    """
    found: list[SecretFinding] = []
    for step, (place, text) in enumerate(texts.items()):
        progress(step)
        found += islice(_by_rules(place, text), MAX_FINDINGS - len(found))
    return found


def merged_findings(
    own: Iterable[SecretFinding], others: Iterable[SecretFinding], own_secrets: Sequence[str]
) -> list[SecretFinding]:
    """At most MAX_FINDINGS, those of this service's own secrets first, with redacted paths."""
    redacted = [
        SecretFinding(path=redact(found.path, own_secrets), line=found.line, rule=found.rule)
        for found in others
    ]
    return [*own, *redacted][:MAX_FINDINGS]


def scan(files: Mapping[str, str], message: str, own_secrets: Sequence[str] = ()) -> list[SecretFinding]:
    """Both kinds of findings, in this process; for generated files see `ProjectChecker.scan`."""
    texts = scanned_texts(files, message)
    return merged_findings(own_secret_findings(texts, own_secrets), rule_findings(texts), own_secrets)


def paths_with_own_secrets(files: Mapping[str, str], own_secrets: Sequence[str]) -> list[str]:
    """The redacted paths of the files that contain a secret of this service, in their text or path."""
    return [
        redact(path, own_secrets)
        for path, text in files.items()
        if any(_own_secret_lines(f"{path}\n{text}", own_secrets))
    ]


def _own_secret_lines(text: str, secrets: Sequence[str]) -> Iterator[int]:
    for secret in secrets:
        if len(secret) >= MIN_OWN_SECRET and (at := text.find(secret)) >= 0:
            yield _line(text, at)


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
