"""Detects this service's own secrets in text that arrives in chunks, before any part of a secret is passed
on."""

from __future__ import annotations

import json
from collections.abc import Iterable

_HEAD = 4
MIN_OWN_SECRET = 12
"""Characters; a shorter secret would be found in harmless files ("changeme")."""


class SecretDetector:
    """Detects secrets in one text. Withholds the end of the received text while it may be the beginning of a
    secret: at most the length of the longest secret. The work for a chunk is linear in its length.

    before  the text that this one continues; its end may also be the beginning of a secret
    """

    def __init__(self, secrets: Iterable[str], before: str = "") -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= MIN_OWN_SECRET]
        self._first = {secret[0] for secret in self._secrets}
        self._heads = tuple({secret[:_HEAD] for secret in self._secrets})
        self._short_heads = tuple({head[:length] for head in self._heads for length in range(1, _HEAD)})
        self._longest = max(map(len, self._secrets), default=0)
        self._held = before[self._first_held(before) :]
        self._before = len(self._held)
        """The number of withheld characters that belong to `before`."""

    def feed(self, chunk: str) -> str | None:
        """The text that can be passed on now, possibly ""; None if a secret is complete: pass on nothing
        more."""
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
        """The withheld text: the text has ended, so it cannot begin a secret."""
        held, self._held = self._held, ""
        return self._own(held)

    def _may_have(self, text: str) -> bool:
        """Whether the text contains the first characters of a secret, or ends with some of them."""
        for head in self._heads:
            if head in text:
                return True
        return text.endswith(self._short_heads)

    def _own(self, text: str) -> str:
        """The text without the part that belongs to `before`."""
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
    """Whether a text contains one of the secrets, as it is or as JSON."""
    known = [secret for secret in secrets if len(secret) >= MIN_OWN_SECRET]
    return any(secret in text or json.dumps(secret)[1:-1] in text for secret in known)
