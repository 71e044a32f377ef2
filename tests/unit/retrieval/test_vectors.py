from __future__ import annotations

import numpy as np
import pytest

from gencode.retrieval.errors import EncoderMismatch
from gencode.retrieval.vectors import MatrixCache, VectorMatrix, to_half, vector_matrix


def matrix(count: int, dimensions: int = 8) -> VectorMatrix:
    rows = np.random.default_rng(count).normal(size=(count, dimensions))
    return vector_matrix(
        ((n, f"d{n % 3}", vector) for n, vector in enumerate(to_half(rows, dimensions))), dimensions
    )


def test_the_nearest_are_those_of_exact_arithmetic() -> None:
    vectors = matrix(10_000)
    query = to_half([[1, 2, 3, 4, 5, 6, 7, 8]], 8)[0]
    exact = vectors.matrix.astype(np.float64) @ np.frombuffer(query, "<f2").astype(np.float64)
    found = vectors.nearest(query, None, 20)
    assert [number for number, _ in found] == list(np.argsort(-exact)[:20])
    assert [score for _, score in found] == pytest.approx(sorted(exact, reverse=True)[:20], abs=1e-5)


def test_equal_vectors_are_in_their_order() -> None:
    vectors = vector_matrix(((n, "d", to_half([[1, 0]], 2)[0]) for n in range(1_000)), 2)
    assert [n for n, _ in vectors.nearest(to_half([[1, 1]], 2)[0], None, 5)] == [0, 1, 2, 3, 4]


def test_an_empty_matrix_has_nothing() -> None:
    assert vector_matrix([], 2).nearest(to_half([[1, 1]], 2)[0], None, 5) == []


def test_a_query_of_other_dimensions_is_refused() -> None:
    with pytest.raises(EncoderMismatch):
        matrix(3).nearest(bytes(4), None, 5)


def test_a_matrix_is_loaded_once_for_each_position() -> None:
    loads: list[int] = []
    cache = MatrixCache()
    for position in (1, 1, 2, 2, 1):
        cache.get("a", position, lambda: loads.append(0) or matrix(3))
    assert len(loads) == 3


def test_the_cache_is_limited_in_bytes() -> None:
    loads: list[str] = []

    def load(name: str) -> VectorMatrix:
        loads.append(name)
        return matrix(100)

    cache = MatrixCache(2 * matrix(100).size)
    for name in "abacab":
        cache.get(name, 1, lambda name=name: load(name))
    assert loads == ["a", "b", "c", "b"]
    small = MatrixCache(0)
    assert small.get("a", 1, lambda: load("a")).ids
