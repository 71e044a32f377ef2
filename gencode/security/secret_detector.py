"""Finds this service's own secrets in text that arrives in chunks, before any of it is passed on."""

from __future__ import annotations

import json
from collections.abc import Iterable

_HEAD = 4
MIN_OWN_SECRET = 12
"""Characters; a shorter secret of this service would be found in innocent files ("changeme")."""


class SecretDetector:
    """Of one text. Holds back the end of what has arrived while it may be the beginning of a secret: at most
    the length of the longest one. The work for a chunk is linear in its length.

    before  the text that this one continues; its end may be the beginning of a secret, too
    """

    def __init__(self, secrets: Iterable[str], before: str = "") -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= MIN_OWN_SECRET]
        self._first = {secret[0] for secret in self._secrets}
        self._heads = tuple({secret[:_HEAD] for secret in self._secrets})
        self._short_heads = tuple({head[:length] for head in self._heads for length in range(1, _HEAD)})
        self._longest = max(map(len, self._secrets), default=0)
        self._held = before[self._first_held(before) :]
        self._before = len(self._held)
        """Characters held that are not of this text."""

    def feed(self, chunk: str) -> str | None:
        """What can be passed on now, perhaps ""; None when a secret is complete: pass on nothing more."""
        if not self._secrets:
            return chunk
        text = self._held + chunk
        if not self._may_have(text):  # almost every chunk
            self._held = ""
            return self._own(text)
        if any(secret in text for secret in self._secrets):
            return None
        at = next(
            (at for at in range(self._first_held(text), len(text)) if self._begins(text, at)), len(text)
        )
        self._held = text[at:]
        return self._own(text[:at])

    def finish(self) -> str:
        """What was held back: the text has ended, so it begins no secret."""
        held, self._held = self._held, ""
        return self._own(held)

    def _may_have(self, text: str) -> bool:
        """Whether it has the first characters of a secret, or ends with some of them."""
        for head in self._heads:
            if head in text:
                return True
        return text.endswith(self._short_heads)

    def _own(self, text: str) -> str:
        """Without what is of the text before."""
        if not self._before:
            return text
        before = min(self._before, len(text))
        self._before -= before
        return text[before:]

    def _first_held(self, text: str) -> int:
        return max(0, len(text) - self._longest + 1)

    def _begins(self, text: str, at: int) -> bool:
        rest = text[at:]
        return rest[0] in self._first and any(secret.startswith(rest) for secret in self._secrets)


def contains_secret(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text, or the JSON of one, has one of the secrets."""
    known = [secret for secret in secrets if len(secret) >= MIN_OWN_SECRET]
    return any(secret in text or json.dumps(secret)[1:-1] in text for secret in known)
