"""For schemathesis: leaves out the bodies that are refused for what no schema can say."""

from __future__ import annotations

from typing import Any

import schemathesis

from gencode.githosts.types import ACCOUNT_RULES

MODEL, HOST = "scripted", "local"
"""Which models and hosts there are is known to a running service only."""
NEWEST = 2
"""The last event of the one task whose stream is asked for."""


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """The phase "coverage" asks this hook alone of a body that may be left out. A GET with a body is refused
    before its address is looked at."""
    return filter_body(_context, case.body) and not (case.method == "GET" and isinstance(case.body, dict))


@schemathesis.hook
def filter_body(_context: Any, body: Any) -> bool:
    if not isinstance(body, dict):
        return True
    in_time = str(body.get("deadline") or "9") > "2100"
    known = (body.get("model") or MODEL) == MODEL and (body.get("host") or HOST) == HOST
    short = not isinstance(body.get("max_cost"), float)  # most have more than nine decimal places
    cached = body.get("cache") is True  # it is off
    org = body.get("github_org")
    allowed = not isinstance(org, str) or ACCOUNT_RULES["github"].allows(org) or not _is_described(org)
    nobody = not body.get("callback_url")  # what a name leads to is no matter of a schema
    return in_time and known and short and allowed and not cached and nobody


def _is_described(org: str) -> bool:
    """What no host takes is refused by the schema, which is to be tried."""
    return any(accounts.allows(org) for accounts in ACCOUNT_RULES.values())


@schemathesis.hook
def filter_headers(_context: Any, headers: Any) -> bool:
    return not _to_come((headers or {}).get("Last-Event-ID"))


@schemathesis.hook
def filter_query(_context: Any, query: Any) -> bool:
    return not _to_come((query or {}).get("after"))


def _to_come(event: Any) -> bool:
    return str(event).isdigit() and int(event) > NEWEST
