"""Identifiers: their forms in each target, plurals, and proposals for names that cannot be used.

snake("OrderItem") == "order_item"     pascal("order_item") == "OrderItem"
plural("category") == "categories"
proposed("订单明细") == "ding_dan_ming_xi"     (pinyin, where the extra `workspace` is installed)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from functools import lru_cache

MAX_IDENTIFIER = 50
"""Characters of a name: PostgreSQL takes 63 bytes, of which prefixes and suffixes (`_id`) need some."""
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")
_IRREGULAR = {
    "person": "people",
    "child": "children",
    "man": "men",
    "woman": "women",
    "mouse": "mice",
    "foot": "feet",
    "tooth": "teeth",
    "datum": "data",
    "criterion": "criteria",
    "analysis": "analyses",
    "leaf": "leaves",
    "knife": "knives",
    "shelf": "shelves",
}
_UNCOUNTABLE = frozenset(
    {
        "data",
        "information",
        "equipment",
        "series",
        "species",
        "news",
        "staff",
        "metadata",
        "feedback",
        "software",
    }
)
_ENDS_WITH_IE = frozenset({"movies", "cookies", "zombies", "calories", "ties", "pies", "brownies", "selfies"})
_ENDS_WITH_E = frozenset({"caches", "axes", "uses", "houses", "causes", "warehouses", "courses", "clauses"})


def is_identifier(text: str) -> bool:
    return IDENTIFIER.match(text) is not None and len(text) <= MAX_IDENTIFIER and not text.endswith("_")


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """The words of an identifier, in lower case: "HTTPServerID" is ("http", "server", "id")."""
    parts = _SEPARATORS.split(_WORD_START.sub("_", name))
    return tuple(part.lower() for part in parts if part)


def snake(name: str) -> str:
    return "_".join(words(name))


def kebab(name: str) -> str:
    return "-".join(words(name))


def pascal(name: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in words(name))


def camel(name: str) -> str:
    text = pascal(name)
    return text[:1].lower() + text[1:]


@lru_cache(maxsize=20_000)
def plural(word: str) -> str:
    """The English plural of the last word of a snake_case name; what is a plural already stays."""
    head, separator, last = word.rpartition("_")
    return f"{head}{separator}{_plural_of(last)}"


def _plural_of(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if not word or word in _UNCOUNTABLE or word in _IRREGULAR.values():
        return word
    if word.endswith(("ss", "sh", "ch", "x", "z", "us", "is")):
        return f"{word}es"
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}s" if word[-1].isalpha() else f"{word}_list"


def singular(word: str) -> str:
    """The opposite of `plural`, where there is one: "categories" is "category", "status" stays."""
    head, separator, last = word.rpartition("_")
    return f"{head}{separator}{_singular_of(last)}"


def _singular_of(word: str) -> str:
    irregular = next((one for one, many in _IRREGULAR.items() if many == word and one != "datum"), "")
    if irregular or word in _UNCOUNTABLE or word.endswith(("ss", "us", "is")) or len(word) < 4:
        return irregular or word
    if word.endswith("ies") and word not in _ENDS_WITH_IE:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes", "uses")) and word not in _ENDS_WITH_E:
        return word[:-2]
    return word.removesuffix("s")


def proposed(
    text: str, *, taken: Container[str] = (), reserved: Container[str] = (), suffix: str = "item"
) -> str:
    """A snake_case identifier for a text in any language that is neither taken nor reserved.

    A reserved word gets the suffix ("order" becomes "order_item"); a taken one, a number.
    """
    base = _romanised(text)[: MAX_IDENTIFIER - 10].strip("_") or suffix
    if not base[0].isalpha():
        base = f"{suffix}_{base}"[: MAX_IDENTIFIER - 10].strip("_")
    if base in reserved:
        base = f"{base}_{suffix}"
    name, number = base, 2
    while name in taken or name in reserved:
        name, number = f"{base}_{number}", number + 1
    return name


def _romanised(text: str) -> str:
    plain = unicodedata.normalize("NFKD", _pinyin(text)).encode("ascii", "ignore").decode()
    return snake(plain)


def _pinyin(text: str) -> str:
    if text.isascii():
        return text
    try:
        from pypinyin import lazy_pinyin  # noqa: PLC0415 - of the extra `workspace`
    except ModuleNotFoundError:
        return text
    return "_".join(lazy_pinyin(text))
