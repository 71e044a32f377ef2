"""Chooses the template for a request, and lists what the request asks for that the template lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gencode.embedded.offline.keyword_tables import (
    PURPOSE_PATTERNS,
    REGEX_FLAGS,
    TECHNOLOGIES,
    TEMPLATE_PURPOSES,
    TEMPLATE_TECHNOLOGIES,
    LanguageFamily,
    Purpose,
    Rank,
    Technology,
    Template,
)

MAX_SCANNED = 50_000  # characters; longer than requests written by hand, and a limit for hostile ones

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
class TemplateChoice:
    """template             the folder under templates/
    nearest_to           the requested technology that decided, if no template uses it, else ""
    unused_technologies  other technologies that the request names and the template does not use
    unmet_purposes       purposes that the request names and the template does not serve
    """

    template: Template
    nearest_to: str
    unused_technologies: tuple[str, ...]
    unmet_purposes: tuple[Purpose, ...]


def choose_template(request: str) -> TemplateChoice:
    """Chooses a template by the request alone. Frameworks take precedence over languages, languages over
    purposes."""
    text = request[:MAX_SCANNED]
    technologies = _technologies(text)
    purposes = _purposes(text)
    technology = _deciding_technology(technologies)
    template = _template(technology, purposes)
    return TemplateChoice(
        template=template,
        nearest_to=technology.name if technology and not technology.has_template else "",
        unused_technologies=tuple(
            other.name
            for other in technologies
            if other is not technology and other.name not in TEMPLATE_TECHNOLOGIES[template]
        ),
        unmet_purposes=tuple(
            purpose for purpose in _purposes_to_serve(purposes) if purpose not in TEMPLATE_PURPOSES[template]
        ),
    )


def _technologies(text: str) -> list[Technology]:
    """The technologies that the text names, in order of appearance."""
    lower = text.lower()
    found = [
        (start, technology)
        for technology in TECHNOLOGIES
        if (start := _position(technology, text, lower)) is not None
    ]
    return [technology for _, technology in sorted(found, key=lambda pair: pair[0])]


def _position(technology: Technology, text: str, lower: str) -> int | None:
    if not any(substring in lower for substring in technology.substrings):
        return None
    return _first_affirmed_match(technology.pattern, text)


def _first_affirmed_match(pattern: str, text: str) -> int | None:
    """The start of the first match that has no "not", "without" or the like before it."""
    starts = (match.start() for match in re.finditer(pattern, text, REGEX_FLAGS))
    return next((start for start in starts if not _NEGATION.search(text[max(0, start - 24) : start])), None)


def _purposes(text: str) -> list[Purpose]:
    """The purposes in order of appearance: the first is usually that of the project, later ones those of its
    parts.

    Of two matches with the same start the longer one is first: "网页应用" is a website, "网页" only a page.
    """
    found = []
    for purpose, pattern in PURPOSE_PATTERNS.items():
        if match := re.search(pattern, text, REGEX_FLAGS):
            found.append((match.start(), -len(match[0]), purpose))
    return [purpose for *_, purpose in sorted(found)]


def _deciding_technology(technologies: list[Technology]) -> Technology | None:
    """Frameworks before languages, those with a template before others, then the first named."""
    candidates = [technology for technology in technologies if technology.rank > Rank.MENTION]
    return max(candidates, key=lambda technology: (technology.rank, technology.has_template), default=None)


def _template(technology: Technology | None, purposes: list[Purpose]) -> Template:
    main_purpose = next((purpose for purpose in purposes if purpose is not Purpose.AUTH), None)
    template = _template_for(technology, main_purpose or next(iter(purposes), None))
    wants_login = template is Template.FLASK and Purpose.AUTH in purposes
    return Template.FLASK_AUTH if wants_login else template


def _template_for(technology: Technology | None, main_purpose: Purpose | None) -> Template:
    match technology.target if technology else None:
        case Template() as template:
            return template
        case LanguageFamily.GO:
            return Template.GO
        case LanguageFamily.NODE:
            return Template.EXPRESS
        case LanguageFamily.JAVASCRIPT:
            return Template.STATIC if main_purpose in (Purpose.PAGE, Purpose.WEB, None) else Template.EXPRESS
        case LanguageFamily.PYTHON if main_purpose is Purpose.PAGE:
            return Template.FLASK
        case _:
            return _BY_PURPOSE[main_purpose]


def _purposes_to_serve(purposes: list[Purpose]) -> list[Purpose]:
    """The main purpose and logins. Others are ignored, since long texts mention many in passing."""
    main_purpose = [purpose for purpose in purposes if purpose is not Purpose.AUTH][:1]
    return main_purpose + [purpose for purpose in purposes if purpose is Purpose.AUTH]
