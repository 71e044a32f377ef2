"""Which element a model means: by id, else by name in any form, else by label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from gencode.blueprints.drafting.element_forms import Form, identity_of
from gencode.blueprints.drafting.texts import identifier
from gencode.blueprints.identifiers import plural, snake

ENDINGS = ("_id", "_ids")


@lru_cache(maxsize=20_000)
def key_of(text: str) -> str:
    """Equal for "OrderItem", "order_items" and "order item"."""
    return plural(snake(text)) or text.casefold()


def matching(siblings: Sequence[Form], values: Form) -> Form | None:
    """The element that the values are about, if it is there."""
    if identity := values.get("id"):
        for one in siblings:
            if one.get("id") == identity:
                return one
    for word in (values.get("name"), values.get("id")):
        if word:
            key = key_of(str(word))
            for one in siblings:
                if key in (key_of(str(one.get("name", ""))), key_of(str(one.get("id", "")))):
                    return one
    label = values.get("label")
    if not label or not _is_name_of_label(values):
        return None
    return next((one for one in siblings if one.get("label") == label), None)


def _is_name_of_label(values: Form) -> bool:
    """Whether only the label was said: two pages may be called "Edit", two fields "Name"."""
    name = str(values.get("name") or values.get("id") or "")
    return not name or key_of(name) == key_of(identifier(str(values["label"])))


class Names:
    """Elements by every word that may mean them; of equal words, the first element."""

    def __init__(self, elements: Iterable[Form]) -> None:
        self._ids: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        for one in elements:
            identity = str(one.get("id", ""))
            self._ids.setdefault(identity, identity)
            for word in (one.get("name"), identity, one.get("label")):
                if word:
                    self._keys.setdefault(key_of(str(word)), identity)

    def find(self, word: Any) -> str | None:
        """The id."""
        text = str(word)
        return self._ids.get(text) or self._keys.get(key_of(text))

    def resolved(self, word: Any) -> str:
        """The id; the word as an id that leads nowhere, if nothing is meant."""
        return self.find(word) or identity_of(word) or "unknown"


def free_id(wanted: str, taken: Iterable[str]) -> str:
    used, identity, number = set(taken), wanted, 2
    while identity in used:
        identity, number = f"{wanted[:190]}_{number}", number + 1
    return identity
