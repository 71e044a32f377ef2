"""Recognises the text of a refusal: a rate limit, or a state of the account that a user must change.

The status alone does not decide: 403 can mean a rate limit, a suspended account, a missing scope or an IP
allow list. Each pattern is a phrase of several words, so that the name of a repository, an organisation or a
branch, which has no spaces, never matches.
"""

from __future__ import annotations

import re

MAX_SEARCHED = 64 * 1024
"""Characters of a text that are searched: another server may send megabytes."""


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


_RATE_LIMIT = _any_of(
    r"\brate limit (?:has been |was )?exceeded\b",
    r"\b(?:secondary|primary|api) rate limit\b",
    r"\babuse (?:detection|rate limit)",
    r"\bsubmitted too quickly\b",
    r"\btemporarily blocked from (?:content creation|calling)\b",
    r"\btoo many requests\b",
    r"调用次数.{0,10}超|请求(?:过于|太)频繁",
)
_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        _any_of(r"\baccount (?:was|is|has been) (?:suspended|blocked|disabled|flagged)\b", r"账[号户]已?被"),
        "the account of the token is blocked: its owner must ask the host's support",
    ),
    (
        _any_of(r"\bsaml (?:sso|enforcement|single sign)", r"\bauthorize[d]? (?:for|with) saml\b"),
        "the organisation wants the token authorised for single sign-on (SSO)",
    ),
    (
        _any_of(
            r"\bip (?:address )?allow ?list\b",
            r"\bfrom your (?:current )?ip\b",
            r"\bip address .{0,60}\bnot\b",
        ),
        "the host admits listed IP addresses only: this service's address must be added to the list",
    ),
    (
        _any_of(r"\baccept (?:the |our )?terms\b", r"\bterms of service\b"),
        "the token's user must accept the host's terms of service in a browser first",
    ),
    (
        _any_of(r"\btwo-factor (?:authentication )?(?:is required|must|needs)\b", r"\bset up two-factor\b"),
        "the token's user must set up two-factor authentication first",
    ),
    (
        _any_of(
            r"\b(?:limit of|number of|limit is) ?(?:\d+ )?(?:repositories|projects)\b",
            r"\bprojects? limit\b.{0,40}\breached\b",
            r"\breached (?:your|the|its) (?:[a-z]+ )?limit\b",
            r"\byour project limit is\b",
            r"仓库数量?.{0,10}(?:上限|限制|超)",
        ),
        "the account may have no more repositories: delete some, raise its limit, or use another account",
    ),
    (
        _any_of(
            r"\bvisibility\b.{0,60}\b(?:not|can't|cannot|restricted)\b",
            r"\b(?:public|private|internal) (?:is not allowed in|has been restricted by)\b",
            r"\b(?:public|private) repositories (?:is|are) not allowed\b",
        ),
        "repositories of this visibility are not allowed there: submit again with another `private`",
    ),
    (
        _any_of(
            r"\b(?:quota|storage limit) (?:has been |is |was )?exceeded\b",
            r"\b(?:exceed(?:s|ed)|over) (?:the |your |its )?quota\b",
        ),
        "the account's quota at the host is used up: free some of it, or raise it",
    ),
    (
        _any_of(
            r"\b(?:is|was|has been) archived\b",
            r"\bread[- ]only (?:mode|access)\b",
            r"\brepository (?:access )?(?:is |was |has been )?(?:disabled|blocked)\b",
        ),
        "the repository or its account is archived, blocked or read-only",
    ),
)


def reports_rate_limit(text: str) -> bool:
    """Whether the text reports a rate limit, whatever the status."""
    return bool(_RATE_LIMIT.search(text[:MAX_SEARCHED]))


def account_advice(text: str) -> str | None:
    """The state of the account or the repository, and what to do about it; None if the text does not name
    one."""
    text = text[:MAX_SEARCHED]
    return next((advice for pattern, advice in _ADVICE if pattern.search(text)), None)
