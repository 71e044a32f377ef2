from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from gencode.engine.task_ids import IdSource, earliest_id


def clock_of(milliseconds: Iterator[int]) -> IdSource:
    return IdSource(lambda: next(milliseconds) * 1_000_000)


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    text = clock_of(iter([0x0123456789AB]))()
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert text.startswith("01234567-89ab-7")


def test_the_default_clock_is_the_time_of_day() -> None:
    before = time.time_ns() // 1_000_000
    stamp = uuid.UUID(IdSource()()).int >> 80  # not new_id: a test with a jumping clock may have moved it
    assert before <= stamp <= time.time_ns() // 1_000_000


def test_ids_of_one_millisecond_grow() -> None:
    source = clock_of(iter([1_700_000_000_000] * 10_000))
    ids = [source() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {uuid.UUID(text).version for text in ids} == {7}
    assert {uuid.UUID(text).variant for text in ids} == {uuid.RFC_4122}


def test_ids_grow_when_the_clock_is_set_back() -> None:
    source = clock_of(iter([5_000, 4_000, 1, 4_999, 5_000, 5_001, 9]))
    ids = [source() for _ in range(7)]
    assert ids == sorted(set(ids))


def test_two_processes_do_not_make_the_same_ids() -> None:
    at_once = iter([1_700_000_000_000] * 2_000)
    one, other = clock_of(at_once), clock_of(at_once)
    assert len({source() for _ in range(1_000) for source in (one, other)}) == 2_000


def test_the_next_id_cannot_be_guessed_by_counting() -> None:
    source = clock_of(iter([1, 1, 1]))
    first, second, third = (uuid.UUID(source()).int for _ in range(3))
    assert third - second != second - first


def test_the_earliest_id_of_a_moment_sorts_before_all_that_are_made_from_then_on() -> None:
    at = datetime(2026, 11, 29, 17, 6, 10, 562_000, tzinfo=UTC)
    millisecond = 1_795_971_970_562
    earliest = earliest_id(at)
    assert uuid.UUID(earliest).version == 7
    assert clock_of(iter([millisecond - 1]))() < earliest < clock_of(iter([millisecond]))()
    assert earliest_id(datetime(1960, 1, 1, tzinfo=UTC)) < earliest
