"""Quotas as text, and the periods that they are for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gencode.engine.quota import Period, parse_quota


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("100 tasks/day", "100 tasks/day"),
        (" 2000000tokens / month ", "2000000 tokens/month"),
        ("20.50 cost/month", "20.50 cost/month"),
    ],
)
def test_a_quota_is_a_text(text: str, shown: str) -> None:
    quota = parse_quota(text)
    assert str(quota) == shown
    assert parse_quota(shown) == quota


@pytest.mark.parametrize(
    "text",
    [
        "",
        "100",
        "0 tasks/day",
        "0.0 cost/day",
        "1.5 tasks/day",
        "-1 tasks/day",
        "1 tasks/hour",
        "1 calls/day",
    ],
)
def test_what_is_no_quota_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no quota"):
        parse_quota(text)


@pytest.mark.parametrize(
    ("period", "at", "start", "end"),
    [
        (Period.DAY, (2026, 11, 30, 23), (2026, 11, 30), (2026, 12, 1)),
        (Period.MONTH, (2026, 11, 30, 23), (2026, 11, 1), (2026, 12, 1)),
        (Period.MONTH, (2026, 12, 31, 23), (2026, 12, 1), (2027, 1, 1)),
        (Period.MONTH, (2028, 2, 29, 1), (2028, 2, 1), (2028, 3, 1)),
        (Period.MONTH, (2026, 1, 31, 1), (2026, 1, 1), (2026, 2, 1)),
    ],
)
def test_periods_are_those_of_the_calendar(period: Period, at: Any, start: Any, end: Any) -> None:
    moment = datetime(*at, 59, tzinfo=UTC)
    assert period.start(moment) == datetime(*start, tzinfo=UTC)
    assert period.end(moment) == datetime(*end, tzinfo=UTC)
