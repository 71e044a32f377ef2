"""Several tasks are checked at once, each in a thread of its own."""

from __future__ import annotations

import ast
import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gencode.codegen.validation.python_source import read_python

LARGE = Path(ast.__file__).read_text(encoding="utf-8")


class Finalized:
    """Rubbish for the collector whose end runs Python code, where threads are switched."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


@pytest.fixture
def _restless() -> Iterator[None]:
    """Collections and switches of threads as often as can be."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50, 1, 1)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("_restless")
def test_python_is_read_by_several_threads_at_once() -> None:
    """CPython 3.11 refuses with SystemError trees that two threads build at once."""
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(15):
                for _ in range(20):
                    Finalized()
                assert read_python("a.py", LARGE).findings == ()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
