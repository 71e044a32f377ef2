"""Texts to the terms of the text index, and questions to the terms to look for.

Scripts that are written without spaces (Han, kana, hangul, Thai, ...) become bigrams, and the last character
of a run a term of its own:

    软件工程      软件 件工 工程 程
    getUserName  get user name getusername

So each character starts a term, and a question of a single character is a search for a prefix. A term has
letters, digits and marks only, at most MAX_TERM of them: whatever a user writes, no term is syntax of a query
language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

TOKENIZER = "bigrams-1"
"""Changes when the terms of any text change: an index of another tokeniser is built again."""
MAX_TERM = 64
MAX_QUERY_TERMS = 128
PREFIX = "*"
"""Ends a term of a question that stands for all terms that start with it."""

_UNSPACED = (
    "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3041-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u3105-\u312f\u31a0-\u31bf"  # bopomofo
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # hangul
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e80-\u0eff\u1000-\u1049\u1050-\u109f\u1780-\u17d3"  # Thai to Khmer
)
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
_WORD = rf"(?:(?![{_UNSPACED}])[^\W_]|[{_MARKS}])++"
_RUNS = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|(?P<word>{_WORD}(?:_++{_WORD})*)")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_IS_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")
_LATIN = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")


def index_terms(text: str) -> list[str]:
    """The terms of a text in their order, with repetitions."""
    terms: list[str] = []
    for run, is_unspaced in _runs(text):
        if is_unspaced:
            terms += [run[i : i + 2] for i in range(len(run))]
        else:
            terms += _word_terms(run)
    return terms


def query_terms(text: str) -> list[str]:
    """The different terms to look for, at most MAX_QUERY_TERMS; any of them is a match."""
    terms: dict[str, None] = {}
    for run, is_unspaced in _runs(text):
        if not is_unspaced:
            found = _word_terms(run)
        elif len(run) == 1:
            found = [run + PREFIX]
        else:
            found = [run[i : i + 2] for i in range(len(run) - 1)]
        terms.update(dict.fromkeys(found))
        if len(terms) >= MAX_QUERY_TERMS:
            break
    return list(terms)[:MAX_QUERY_TERMS]


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Runs of letters and digits, and whether their script has no spaces between words."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    for _, run, is_unspaced in runs(text):
        yield run, is_unspaced


def runs(text: str) -> Iterator[tuple[int, str, bool]]:
    """Where each run of letters and digits starts, its text, and whether its script has no spaces between
    words. The text is taken as it is written: full-width letters stay so."""
    for found in _RUNS.finditer(text):
        yield found.start(), found[0], found.lastgroup == "unspaced"


def _word_terms(word: str) -> list[str]:
    """The parts of an identifier, and it as a whole."""
    parts = [part for piece in word.split("_") if piece for part in _camel_parts(piece)]
    whole = word.replace("_", "")
    found = [whole] if len(parts) < 2 else [*parts, whole]
    return [term for term in map(_folded, found) if term]


def _camel_parts(piece: str) -> list[str]:
    if piece.isascii() and _IS_CAMEL.search(piece):
        return _CAMEL.findall(piece)
    return [piece]


def _folded(word: str) -> str:
    """Lower case, Latin letters without accents."""
    word = word[:MAX_TERM]
    if word.isascii():
        return word.lower()
    folded = _LATIN.sub(lambda found: unicodedata.normalize("NFD", found[0])[0], word.casefold())
    return "".join(filter(_is_term_character, folded))[:MAX_TERM]


def _is_term_character(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"
