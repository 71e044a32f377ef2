"""Hooks of schemathesis: leave out bodies that are refused for reasons which no schema can express."""

from __future__ import annotations

from typing import Any

import schemathesis

from gencode.githosts.name_rules import ACCOUNT_RULES

MODEL, HOST = "scripted", "local"
"""Which models and hosts there are is known to a running service only."""
NEWEST = 2
"""The last event of the only task whose stream is requested."""


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """The phase "coverage" calls only this hook for bodies that may be left out."""
    return filter_body(_context, case.body) and _names_what_was_shown(case)


def _names_what_was_shown(case: Any) -> bool:
    """A cursor is a part of an earlier answer. Headers lose the quotes that an ETag has."""
    if not str(case.path).startswith("/api/v1/requirements"):
        return True
    return not ((case.query or {}).get("cursor") or (case.headers or {}).get("If-Match"))


@schemathesis.hook
def filter_body(_context: Any, body: Any) -> bool:
    if not isinstance(body, dict):
        return True
    if {"templates", "variables"} & set(body):
        return False  # identifiers are unique, and variables those of the template
    if body.get("previous_id"):
        return False  # it is the id of a document
    is_in_time = str(body.get("deadline") or "9") > "2100"
    is_known = (body.get("model") or MODEL) == MODEL and (body.get("host") or HOST) == HOST
    is_short = not isinstance(body.get("max_cost"), float)  # most have more than nine decimal places
    uses_cache = body.get("cache") is True  # it is off
    org = body.get("github_org")
    is_allowed = not isinstance(org, str) or ACCOUNT_RULES["github"].allows(org) or not _is_described(org)
    has_no_callback = not body.get("callback_url")  # what a name leads to is no matter of a schema
    return is_in_time and is_known and is_short and is_allowed and not uses_cache and has_no_callback


def _is_described(org: str) -> bool:
    """The schema refuses what no host accepts: those values are tested."""
    return any(accounts.allows(org) for accounts in ACCOUNT_RULES.values())


@schemathesis.hook
def filter_headers(_context: Any, headers: Any) -> bool:
    return not _is_in_the_future((headers or {}).get("Last-Event-ID"))


@schemathesis.hook
def filter_query(_context: Any, query: Any) -> bool:
    ids = (query or {}).get("after"), (query or {}).get("lastEventId")
    return not any(map(_is_in_the_future, ids))


def _is_in_the_future(event: Any) -> bool:
    return str(event).isdigit() and int(event) > NEWEST
