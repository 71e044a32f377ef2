"""Several projects are validated at once, each in a thread of its own."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator

import pytest

from gencode.codegen.validation.python_analysis import analyze_python
from tests.campaigns.corpus import FIXED

FUTURE = "from __future__ import annotations\n"
LARGE = FUTURE + (FIXED / "orders.py").read_text(encoding="utf-8").replace(FUTURE, "") * 10
"""About 60 KB, which take the parser a while."""


class Finalized:
    """Garbage whose finalizer runs Python code, during which threads are switched."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


@pytest.fixture
def _frequent_switches() -> Iterator[None]:
    """As many garbage collections and thread switches as possible."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50, 1, 1)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("_frequent_switches")
def test_python_is_analysed_by_several_threads_at_once() -> None:
    """CPython 3.11 raises SystemError for trees that two threads build at once."""
    failures: list[BaseException] = []

    def analyse() -> None:
        try:
            for _ in range(5):
                for _ in range(20):
                    Finalized()
                assert analyze_python("a.py", LARGE).findings == ()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=analyse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
