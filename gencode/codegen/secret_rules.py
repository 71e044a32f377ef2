"""Rules of the secrets scan: token formats of known issuers, and random values assigned to secret names.

The table is our own because no library was good enough (November 2026, 28 real-looking secrets and 34 files
of harmless look-alikes): detect-secrets has had no release since 2024, missed 11 with its structured plugins
and reported 33 harmless files with its entropy plugins; Kingfisher is a 47 MB program that needs the files on
disk. The method is that of gitleaks: a required literal, a pattern, a minimum of entropy, and words by which
placeholders are recognised. In doubt a file passes: a task must not fail because of "change-me".
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

_PLACEHOLDER = re.compile(
    r"""(?ix) example | sample | placeholder | your | change | replace | insert | dummy | fake | mock | todo
    | insecure | redacted | secret | passw | test | demo | default | here | qwerty
    | 0123456 | 1234567 | abcdefg | (?P<same>.)(?P=same){5}
    | SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c   # the token on the front page of jwt.io
    """
)
_HARMLESS_NAME = re.compile(r"hash|digest|checksum|public|example|sample|dummy|fake|mock|test", re.IGNORECASE)
_TO_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_CLASS_CHANGE = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"secret|token|passw|pwd|credential|(?:api|access|auth|private|signing|encryption)[_-]?key", re.IGNORECASE
)
_SECRET_WORDS = ("secret", "token", "passw", "pwd", "credential", "key")
"""Every secret name contains one of them."""
_MODEL_KEY = re.compile(r"\bsk-[\w-]*+")
_DIGIT = re.compile(r"\d")
_DOTTED = re.compile(r"\beyJ[\w-]*+(?:\.[\w-]++)*+")
_VALUE = r"(?P<value>[A-Za-z0-9+/_-]{24,512}={0,2})"
_ASSIGNMENT = re.compile(
    rf"""(?P<name>[\w-]{{1,60}}+)
    (?: ["'\]]{{0,2}} (?:\s?:\s?[\w.|\[\] ]{{1,30}}(?=\s=))? \s{{0,8}} (?: := | => | [:=,] ) \s{{0,8}}
        (?P<quote>["'`]) {_VALUE} (?P=quote)
      | (?: = | :[ ]{{1,8}} ) {_VALUE.replace("value", "bare")} [ \t\r]* (?:\n|\Z)
    )""",
    re.VERBOSE,
)
"""An assignment from such a word on. A value without quotes counts only in the form of .env and YAML files:
elsewhere it would be the name of a variable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretRule:
    """hints  every match contains one of them; searching for them first is many times faster
    find   yields the offsets of matches
    """

    name: str
    hints: tuple[str, ...]
    find: Callable[[str], Iterator[int]]


def token_format(name: str, hints: str, pattern: str) -> SecretRule:
    """A rule for a format that its issuer has made recognisable. `hints` are separated by blanks. A `pattern`
    either has a fixed length or consumes all that it has looked at, or a file of nothing but beginnings would
    take quadratic time."""
    compiled = re.compile(pattern)

    def find(text: str) -> Iterator[int]:
        for match in compiled.finditer(text):
            if _is_likely(match[0]):
                yield match.start()

    return SecretRule(name=name, hints=tuple(hints.split()), find=find)


def _is_likely(token: str) -> bool:
    return entropy(token) >= 3 and not _PLACEHOLDER.search(token)


def model_api_keys(text: str) -> Iterator[int]:
    """Keys that begin with `sk-` and have a long word with a digit in it."""
    for match in _MODEL_KEY.finditer(text):
        words = match[0].split("-")
        if any(len(word) >= 20 and _DIGIT.search(word) for word in words) and _is_likely(match[0]):
            yield match.start()


def web_tokens(text: str) -> Iterator[int]:
    """JSON Web Tokens: two parts that are encoded JSON objects, and a signature."""
    for match in _DOTTED.finditer(text):
        parts = match[0].split(".")
        if any(map(_is_web_token, parts, parts[1:], parts[2:])):
            yield match.start()


def _is_web_token(head: str, body: str, signature: str) -> bool:
    begin = head.find("eyJ")
    if begin < 0 or len(head) - begin < 13 or not body.startswith("eyJ") or len(body) < 13:
        return False
    return len(signature) >= 20 and _is_likely(f"{head[begin:]}.{body}.{signature}")


def assigned_secrets(text: str) -> Iterator[int]:
    """Random values assigned to names such as `api_key`."""
    for at in _secret_words_in(text):
        if assignment := _ASSIGNMENT.match(text, at):
            before = re.search(r"[\w.-]*\Z", text[max(0, at - 40) : at])
            name = (before[0] if before else "") + assignment["name"]
            is_secret = _SECRET_NAME.search(name) and not _HARMLESS_NAME.search(name)
            if is_secret and looks_random(assignment["value"] or assignment["bare"]):
                yield at


def _secret_words_in(text: str) -> Iterator[int]:
    """Offsets of the words of secret names: ten times faster than a pattern that ignores case."""
    lower = text.lower()
    if len(lower) != len(text):  # some letters have a longer lower case, which would shift the offsets
        lower = text.translate(_TO_LOWER)
    for word in _SECRET_WORDS:
        at = lower.find(word)
        while at >= 0:
            yield at
            at = lower.find(word, at + 1)


def url_passwords(text: str) -> Iterator[int]:
    """Random passwords in `scheme://user:password@host`."""
    for match in re.finditer(r"://[\w.%+-]{0,100}:(?P<value>[\w+/=~.-]{16,200})@[\w.-]", text):
        if looks_random(match["value"]):
            yield match.start()


def looks_random(value: str) -> bool:
    """Random values change between lower case, upper case and digits at every other character, identifiers
    rarely, if the lower case after a capital is not counted. The threshold is below what 95 % of random
    values have."""
    if _PLACEHOLDER.search(value) or value.startswith("/") or _UUID.fullmatch(value):
        return False
    letters = re.sub(r"[^A-Za-z0-9]", "", value)
    return len(_CLASS_CHANGE.findall(letters)) >= len(letters) / 4 and entropy(value) >= 3


def entropy(value: str) -> float:
    """Shannon entropy, in bits per character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)


RULES = (
    token_format("aws-access-key", "AKIA ASIA ABIA ACCA", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    token_format("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
    token_format("github-token", "github_pat_", r"\bgithub_pat_\w{50,}"),
    token_format("gencode-key", "gck_", r"\bgck_[0-9a-f]{48}\b"),
    token_format("gitlab-token", "glpat-", r"\bglpat-[\w-]{20,}"),
    SecretRule(name="model-api-key", hints=("sk-",), find=model_api_keys),
    token_format("model-api-key", "gsk_ xai-", r"\b(?:gsk_|xai-)[A-Za-z0-9]{40,}"),
    token_format("google-api-key", "AIza", r"\bAIza[\w-]{35}(?![\w-])"),
    token_format("slack-token", "xox", r"\bxox[abeoprs]-[\w-]{20,}"),
    token_format("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{20,}"),
    token_format("stripe-key", "_live_", r"\b[sr]k_live_[A-Za-z0-9]{20,}"),
    token_format("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    token_format("pypi-token", "pypi-AgEI", r"\bpypi-AgEI[\w-]{50,}"),
    token_format("huggingface-token", "hf_", r"\bhf_[A-Za-z0-9]{34}"),
    token_format("sendgrid-key", "SG.", r"\bSG\.[\w-]{22}\.[\w-]{43}"),
    token_format("telegram-token", ":AA", r"\b[0-9]{8,10}:AA[\w-]{33}(?![\w-])"),
    SecretRule(name="json-web-token", hints=("eyJ",), find=web_tokens),
    token_format(
        "private-key",
        "PRIVATE",
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^-]{0,300}?[A-Za-z0-9+/]{40}",
    ),
    SecretRule(name="secret-assignment", hints=("",), find=assigned_secrets),
    SecretRule(name="password-in-url", hints=("://",), find=url_passwords),
)
