"""Which tests GENCODE_TEST_BACKEND=cluster leaves out, because they start no service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.service import running_app, service
from tests.servers.several_processes import starts_service


def direct() -> object:
    return service


class Harness:
    def start(self) -> object:
        return [running_app for _ in "x"]


def by_a_method() -> object:
    return Harness()


def by_a_function() -> object:
    return lambda: by_a_method()


def nowhere() -> object:
    return nowhere


class Item:
    """A collected test, as far as it is looked at."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function


@pytest.mark.parametrize(
    ("function", "expected"),
    [(direct, True), (by_a_method, True), (by_a_function, True), (nowhere, False)],
)
def test_a_test_that_starts_a_service_in_whatever_way_is_run(
    function: Callable[[], object], expected: bool
) -> None:
    item: object = Item(function)
    assert starts_service(item) is expected  # type: ignore[arg-type]
