from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gencode.resilience.retry_after import retry_after

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
    assert retry_after(value, NOON) == seconds
