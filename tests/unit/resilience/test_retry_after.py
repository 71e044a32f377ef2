from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gencode.resilience.retry_after import parse_retry_after, wait_from_headers

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 17 ", 17.0),
        (" 1.5 ", 1.5),
        ("3600", 3600.0),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sunday, 22-Nov-26 12:00:10 GMT", 10.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("inf", None),
        ("٣", None),
        ("9" * 30, None),
        ("Sun, 22 Nov 2026 12:00:00 +99999999999", None),
    ],
)
def test_the_header_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOON) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "x-ratelimit-reset": "900"}, 7.0),
        ({"llm_provider-retry-after": "17"}, 17.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "0"}, None),
        ({"x-ratelimit-reset-requests": "1m30s"}, 90.0),
        ({"x-ratelimit-reset-tokens": "250ms"}, 0.25),
        ({"x-ratelimit-reset-requests": "90s", "x-ratelimit-remaining-requests": "3"}, None),
        ({"x-ratelimit-reset-requests": "6s", "x-ratelimit-reset-tokens": "1h2m"}, 3720.0),
        ({"x-ratelimit-reset": str(int(NOON) + 40)}, 40.0),
        ({"x-ratelimit-reset": str(int(NOON + 40) * 1000)}, 40.0),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-limit": "5"}, None),
    ],
)
def test_other_headers_tell_how_long_to_wait_too(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_from_headers(headers, NOON) == pytest.approx(seconds)
