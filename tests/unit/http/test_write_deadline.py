"""When a slow client is cut off, by a clock that the test sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gencode.http.write_deadline import WriteDeadline


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Client:
    """A connection and the loop that it is in. `unsent`: bytes that it has still to take."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []
        self.unsent = 1000
        self.aborted_at: float | None = None

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    def abort(self) -> None:
        self.aborted_at = self.now

    def deadline(self, seconds: float) -> WriteDeadline:
        loop: Any = self
        return WriteDeadline(loop, seconds, lambda: self.unsent, self.abort)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [one for one in self.timers if not one.is_cancelled and one.at <= end]:
            timer = min(due, key=lambda one: one.at)
            self.timers.remove(timer)
            self.now = timer.at
            timer.call()
            if self.aborted_at is not None:
                return
        self.now = end


@pytest.mark.fault(114)
def test_it_is_renewed_as_long_as_the_client_takes_bytes() -> None:
    """A steady reader at 100 KB/s had its archive cut off after 60 s."""
    client = Client()
    client.deadline(60)
    for _ in range(100):
        client.wait(50)
        client.unsent -= 1
    assert client.aborted_at is None
    client.wait(1000)
    assert client.aborted_at is not None
    assert 5060 <= client.aborted_at <= 5000 + 60 * 1.5


@pytest.mark.fault(114)
def test_a_client_that_takes_nothing_is_cut_off_at_the_deadline() -> None:
    client = Client()
    client.deadline(60)
    client.wait(1000)
    assert client.aborted_at == 60


def test_more_that_is_written_is_no_progress() -> None:
    client = Client()
    client.deadline(60)
    for _ in range(10):
        client.wait(10)
        client.unsent += 100
    assert client.aborted_at == 60


def test_at_a_shutdown_it_is_renewed_no_more() -> None:
    client = Client()
    deadline = client.deadline(60)
    client.wait(50)
    deadline.end_within(5)
    client.unsent -= 500
    client.wait(100)
    assert client.aborted_at == 55


def test_it_can_be_called_off() -> None:
    client = Client()
    client.deadline(60).cancel()
    client.wait(1000)
    assert client.aborted_at is None
