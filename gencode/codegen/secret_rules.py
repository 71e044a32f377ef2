"""What a secret looks like in a file: the formats of known issuers, and random values under secret names.

The table is our own because no library served (November 2026, 28 real-looking secrets and 34 files of
harmless look-alikes): detect-secrets has had no release since 2024, missed 11 with its structured plugins
and took 33 harmless files for secrets with its entropy plugins; Kingfisher is a 47 MB program that wants
the files on disk. It follows gitleaks' method: a literal that must be there, a pattern, a floor of entropy,
and words that give placeholders away. In doubt a file passes: a task must not fail over "change-me".
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

_MADE_UP = re.compile(
    r"""(?ix) example | sample | placeholder | your | change | replace | insert | dummy | fake | mock | todo
    | insecure | redacted | secret | passw | test | demo | default | here | qwerty
    | 0123456 | 1234567 | abcdefg | (?P<same>.)(?P=same){5}
    | SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c   # the token on the front page of jwt.io
    """
)
_HARMLESS_NAME = re.compile(r"hash|digest|checksum|public|example|sample|dummy|fake|mock|test", re.IGNORECASE)
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
_CHANGE = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"secret|token|passw|pwd|credential|(?:api|access|auth|private|signing|encryption)[_-]?key", re.IGNORECASE
)
_WORDS = ("secret", "token", "passw", "pwd", "credential", "key")
"""One of them stands in every secret name."""
_VALUE = r"(?P<value>[A-Za-z0-9+/_-]{24,512}={0,2})"
_GIVEN = re.compile(
    rf"""(?P<name>[\w-]{{1,60}}+)
    (?: ["'\]]{{0,2}} (?:\s?:\s?[\w.|\[\] ]{{1,30}}(?=\s=))? \s{{0,8}} (?: := | => | [:=,] ) \s{{0,8}}
        (?P<quote>["'`]) {_VALUE} (?P=quote)
      | (?: = | :[ ]{{1,8}} ) {_VALUE.replace("value", "bare")} [ \t\r]* (?:\n|\Z)
    )""",
    re.VERBOSE,
)
"""What follows from such a word on. Without quotes a value counts only as .env and YAML files have it:
elsewhere it would be the name of a variable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """hints    one of them stands in every match; looking for them first is many times faster
    find        where matches begin
    """

    name: str
    hints: tuple[str, ...]
    find: Callable[[str], Iterator[int]]


def issued(name: str, hints: str, pattern: str) -> Rule:
    """A format that an issuer has made recognisable. `hints`: separated by blanks. Each part of a `pattern`
    that another may follow is bounded: a file of nothing but beginnings must not take time by its square."""
    compiled = re.compile(pattern)

    def find(text: str) -> Iterator[int]:
        for match in compiled.finditer(text):
            if entropy(match[0]) >= 3 and not _MADE_UP.search(match[0]):
                yield match.start()

    return Rule(name=name, hints=tuple(hints.split()), find=find)


def assigned(text: str) -> Iterator[int]:
    """Random values given to names that say that they are secret."""
    for at in _mentions(text):
        if given := _GIVEN.match(text, at):
            before = re.search(r"[\w.-]*\Z", text[max(0, at - 40) : at])
            name = (before[0] if before else "") + given["name"]
            secret = _SECRET_NAME.search(name) and not _HARMLESS_NAME.search(name)
            if secret and looks_random(given["value"] or given["bare"]):
                yield at


def _mentions(text: str) -> Iterator[int]:
    """Where the words of secret names stand: ten times faster than a pattern that ignores case."""
    small = text.lower()
    if len(small) != len(text):  # some letters have longer small forms, and places would move
        small = text.translate(_SMALL)
    for word in _WORDS:
        at = small.find(word)
        while at >= 0:
            yield at
            at = small.find(word, at + 1)


def in_addresses(text: str) -> Iterator[int]:
    """Random passwords in `scheme://user:password@host`."""
    for match in re.finditer(r"://[\w.%+-]{0,100}:(?P<value>[\w+/=~.-]{16,200})@[\w.-]", text):
        if looks_random(match["value"]):
            yield match.start()


def looks_random(value: str) -> bool:
    """Random letters and digits change their class every other character; identifiers do so rarely, if the
    small letter after a capital is not counted. The floor lies below what 95 % of random values have."""
    if _MADE_UP.search(value) or value.startswith("/") or _UUID.fullmatch(value):
        return False
    letters = re.sub(r"[^A-Za-z0-9]", "", value)
    return len(_CHANGE.findall(letters)) >= len(letters) / 4 and entropy(value) >= 3


def entropy(value: str) -> float:
    """Shannon's, in bits per character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)


RULES = (
    issued("aws-access-key", "AKIA ASIA ABIA ACCA", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    issued("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
    issued("github-token", "github_pat_", r"\bgithub_pat_\w{50,}"),
    issued("gencode-key", "gck_", r"\bgck_[0-9a-f]{48}\b"),
    issued("gitlab-token", "glpat-", r"\bglpat-[\w-]{20,}"),
    issued("model-api-key", "sk-", r"\bsk-[\w-]{0,200}?(?=[A-Za-z_]{0,100}\d)\w{20,}[\w-]*"),
    issued("model-api-key", "gsk_ xai-", r"\b(?:gsk_|xai-)[A-Za-z0-9]{40,}"),
    issued("google-api-key", "AIza", r"\bAIza[\w-]{35}(?![\w-])"),
    issued("slack-token", "xox", r"\bxox[abeoprs]-[\w-]{20,}"),
    issued("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{20,}"),
    issued("stripe-key", "_live_", r"\b[sr]k_live_[A-Za-z0-9]{20,}"),
    issued("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    issued("pypi-token", "pypi-AgEI", r"\bpypi-AgEI[\w-]{50,}"),
    issued("huggingface-token", "hf_", r"\bhf_[A-Za-z0-9]{34}"),
    issued("sendgrid-key", "SG.", r"\bSG\.[\w-]{22}\.[\w-]{43}"),
    issued("telegram-token", ":AA", r"\b[0-9]{8,10}:AA[\w-]{33}(?![\w-])"),
    issued("json-web-token", "eyJ", r"\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,8000}\.[\w-]{20,}"),
    issued(
        "private-key",
        "PRIVATE",
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^-]{0,300}?[A-Za-z0-9+/]{40}",
    ),
    Rule(name="secret-assignment", hints=("",), find=assigned),
    Rule(name="password-in-url", hints=("://",), find=in_addresses),
)
