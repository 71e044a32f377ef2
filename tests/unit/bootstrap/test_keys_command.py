"""The options of a key, as `gencode keys make` takes them."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import pytest

from gencode.bootstrap.commands.keys import add_arguments, parse_expiry
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


def made(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["make", "alice", *options])


@pytest.mark.parametrize("rate", ["1/second", "10/minute", "10 per minute", "1000000/day", "5/2 hours"])
def test_a_rate_is_kept_as_it_is_written(rate: str) -> None:
    assert made("--rate", rate).rate == rate


@pytest.mark.parametrize(
    "rate",
    [
        "0/minute",
        "999999999999/second",
        "1000001/day",
        "1/99999 years",
        "-1/minute",
        "1/minute; 5/hour",
        "often",
    ],
)
def test_a_rate_that_lets_nothing_or_anything_through_is_refused(
    rate: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        made(f"--rate={rate}")
    assert caught.value.code == 2
    assert "write one such as 10/minute" in capsys.readouterr().err


def test_a_rate_is_no_required_option() -> None:
    assert made().rate == ""
