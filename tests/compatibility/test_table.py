"""docs/compatibility.md and the tests of this folder have the same rows."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

DOCUMENT = Path(__file__).parents[2] / "docs" / "compatibility.md"
_ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_SOURCE = re.compile(r"[\w.-]+(?:/[\w.-]+)?#\d+")


def rows() -> list[tuple[str, str, str, str]]:
    """Id, behaviour, sources and required outcome of each row."""
    return _ROW.findall(DOCUMENT.read_text(encoding="utf-8"))


def named_by_tests() -> Counter[str]:
    """How many test functions name each row."""
    modules = [path.stem for path in Path(__file__).parent.glob("test_*.py") if path.stem != "test_table"]
    return Counter(
        row for name in modules for row in _rows_of(importlib.import_module(f"{__package__}.{name}"))
    )


def _rows_of(module: ModuleType) -> list[str]:
    marks = [mark for test in vars(module).values() for mark in getattr(test, "pytestmark", ())]
    return [str(mark.args[0]) for mark in marks if mark.name == "compatibility"]


def test_each_row_has_one_test() -> None:
    assert dict(Counter(id_ for id_, *_ in rows())) == dict(named_by_tests())


def test_each_row_names_where_it_was_seen() -> None:
    assert [
        id_ for id_, _, sources, _ in rows() if not _SOURCE.search(sources) and "run against" not in sources
    ] == []
