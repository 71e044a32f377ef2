"""Which template a request gets, and what in the request that template does not answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gencode.embedded.offline.vocabulary import (
    FLAGS,
    MADE_OF,
    PURPOSES,
    SERVES,
    WORDS,
    Family,
    Purpose,
    Rank,
    Template,
    Word,
)

LOOKED_AT = 50_000  # characters; longer than any request written by hand, and a bound for hostile ones

_NEGATION = re.compile(
    r"(?:\b(?:no|not|without|instead of|rather than|avoid)(?: use| using| any)?"
    r"|不用|不要用?|不使用|别用|无需) ?\Z",
    re.IGNORECASE,
)

_BY_PURPOSE: dict[Purpose | None, Template] = {
    Purpose.CLI: Template.CLI,
    Purpose.API: Template.FASTAPI,
    Purpose.WEB: Template.FLASK,
    Purpose.PAGE: Template.STATIC,
    Purpose.AUTH: Template.FLASK,
    None: Template.CLI,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """`instead_of`: the technology that decided, where the template is only the nearest to it, else "".
    `absent`: other technologies that the request names and the project lacks. `unmet`: likewise purposes."""

    template: Template
    instead_of: str
    absent: tuple[str, ...]
    unmet: tuple[Purpose, ...]


def choose(request: str) -> Choice:
    """A pure function of the request: an explicit framework beats a language beats a purpose."""
    text = request[:LOOKED_AT]
    words = _words(text)
    purposes = _purposes(text)
    word = _decisive(words)
    template = _template(word, purposes)
    return Choice(
        template=template,
        instead_of=word.name if word and not word.known else "",
        absent=tuple(w.name for w in words if w is not word and w.name not in MADE_OF[template]),
        unmet=tuple(purpose for purpose in _main(purposes) if purpose not in SERVES[template]),
    )


def _words(text: str) -> list[Word]:
    """The technologies that the text names, in its order."""
    lower = text.lower()
    found = [(at, word) for word in WORDS if (at := _position(word, text, lower)) is not None]
    return [word for _, word in sorted(found, key=lambda pair: pair[0])]


def _position(word: Word, text: str, lower: str) -> int | None:
    if not any(hint in lower for hint in word.hints):
        return None
    return _first(word.pattern, text)


def _first(pattern: str, text: str) -> int | None:
    """Where the pattern first matches without a "not" or "without" before it."""
    starts = (match.start() for match in re.finditer(pattern, text, FLAGS))
    return next((at for at in starts if not _NEGATION.search(text[max(0, at - 24) : at])), None)


def _purposes(text: str) -> list[Purpose]:
    """In the order of the text: what it names first is the thing, what follows are its parts.

    "网页应用" is a website although "网页" is a page: where two begin together, the longer match counts.
    """
    found = []
    for purpose, pattern in PURPOSES.items():
        if match := re.search(pattern, text, FLAGS):
            found.append((match.start(), -len(match[0]), purpose))
    return [purpose for *_, purpose in sorted(found)]


def _decisive(words: list[Word]) -> Word | None:
    """A framework before a language, one that has its template before others, then the first named."""
    deciding = [word for word in words if word.rank > Rank.MENTION]
    return max(deciding, key=lambda word: (word.rank, word.known), default=None)


def _template(word: Word | None, purposes: list[Purpose]) -> Template:
    thing = next((purpose for purpose in purposes if purpose is not Purpose.AUTH), None)
    template = _for_thing(word, thing or next(iter(purposes), None))
    wants_login = template is Template.FLASK and Purpose.AUTH in purposes
    return Template.FLASK_AUTH if wants_login else template


def _for_thing(word: Word | None, thing: Purpose | None) -> Template:
    match word.speaks_for if word else None:
        case Template() as template:
            return template
        case Family.GO:
            return Template.GO
        case Family.NODE:
            return Template.EXPRESS
        case Family.JAVASCRIPT:
            return Template.STATIC if thing in (Purpose.PAGE, Purpose.WEB, None) else Template.EXPRESS
        case Family.PYTHON if thing is Purpose.PAGE:
            return Template.FLASK
        case _:
            return _BY_PURPOSE[thing]


def _main(purposes: list[Purpose]) -> list[Purpose]:
    """The thing itself and logins: what else a long text mentions in passing is not worth a complaint."""
    thing = [purpose for purpose in purposes if purpose is not Purpose.AUTH][:1]
    return thing + [purpose for purpose in purposes if purpose is Purpose.AUTH]
