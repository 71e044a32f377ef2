"""The expiry of a key, as `gencode keys make --expires` takes it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gencode.bootstrap.commands.keys import parse_expiry
from gencode.domain.errors import StartError

EXPIRY = datetime(2099, 12, 31, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expiry"),
    [
        ("2099-12-31", datetime(2100, 1, 1, tzinfo=UTC)),
        ("2099-12-31T18:00:00Z", EXPIRY),
        ("2099-12-31T20:00:00+02:00", EXPIRY),
    ],
)
def test_a_date_lasts_until_its_end(text: str, expiry: datetime) -> None:
    assert parse_expiry(text) == expiry


@pytest.mark.parametrize(
    "text", ["", "soon", "2000-01-01", "2099-12-31T18:00:00", "9999-12-31", "2099-13-01"]
)
def test_an_invalid_or_past_date_is_refused(text: str) -> None:
    with pytest.raises(StartError):
        parse_expiry(text)
