"""Vectors as float16, and the search of the nearest ones with numpy (of the extra `workspace`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from gencode.retrieval.errors import EncoderMismatch

if TYPE_CHECKING:
    from numpy import float32, intp
    from numpy.typing import NDArray

CACHED_BYTES = 128 * 2**20


def to_half(vectors: Any, dimensions: int) -> list[bytes]:
    """Vectors of unit length as float16, little-endian.

    vectors   shape (number, dimensions), of any float type. Raises EncoderMismatch for another shape, and for
              a vector without a direction (zeros, infinite, not a number)
    """
    numpy = _numpy()
    try:
        matrix = numpy.asarray(vectors, dtype=numpy.float64)
    except (TypeError, ValueError):
        raise EncoderMismatch("the encoder's vectors are not numbers, or differ in length") from None
    if matrix.ndim != 2 or matrix.shape[1] != dimensions:
        raise EncoderMismatch(
            f"the encoder's vectors have the shape {matrix.shape}, and {dimensions} dimensions are configured"
        )
    lengths = numpy.linalg.norm(matrix, axis=1, keepdims=True)
    if not (numpy.isfinite(lengths).all() and lengths.all()):
        raise EncoderMismatch("the encoder's vectors have no direction: one is zero or not a number")
    return [row.tobytes() for row in (matrix / lengths).astype("<f2")]


@dataclass(frozen=True, slots=True)
class VectorMatrix:
    """Vectors of chunks, in the order of document and ordinal, in which equal scores are returned.

    matrix      shape (chunks, dimensions)
    ids         of the chunks
    documents   of the chunks
    """

    matrix: NDArray[float32]
    ids: Sequence[int]
    documents: Sequence[str]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.matrix.nbytes + 64 * len(self.ids)

    def nearest(self, query: bytes, documents: frozenset[str] | None, limit: int) -> list[tuple[int, float]]:
        """Ids and cosines of the chunks nearest to the query, best first.

        documents   only chunks of these; None: of all
        """
        numpy = _numpy()
        if not self.ids:
            return []
        vector = numpy.frombuffer(query, "<f2").astype("f4")
        if len(vector) != self.matrix.shape[1]:
            raise EncoderMismatch("the query's vector has other dimensions than those of the index")
        # A product may differ in its last bits by where in memory its row is: equal rows are to be equal.
        scores = numpy.round(self.matrix @ vector, 6)
        if documents is not None:
            scores[[name not in documents for name in self.documents]] = -numpy.inf
        rows = self._best(scores, limit)
        return [(self.ids[row], float(scores[row])) for row in rows if scores[row] > -numpy.inf]

    def _best(self, scores: NDArray[float32], limit: int) -> NDArray[intp]:
        """The rows of the highest scores in their order: equal ones by row."""
        numpy = _numpy()
        if limit >= len(scores):
            return cast("NDArray[intp]", numpy.argsort(-scores, kind="stable"))
        least = numpy.partition(scores, -limit)[-limit]
        rows = numpy.flatnonzero(scores >= least)
        return cast("NDArray[intp]", rows[numpy.argsort(-scores[rows], kind="stable")][:limit])


def vector_matrix(rows: Iterable[tuple[int, str, bytes]], dimensions: int) -> VectorMatrix:
    """`rows`: id, document and vector of each chunk, in the order of document and ordinal."""
    ids: list[int] = []
    documents: list[str] = []
    data = bytearray()
    for chunk, document, vector in rows:
        ids.append(chunk)
        documents.append(document)
        data += vector
    matrix = _numpy().frombuffer(data, "<f2").astype("f4").reshape(-1, dimensions)
    return VectorMatrix(matrix, ids, documents)


class MatrixCache:
    """The matrices that were used last, in at most `limit` bytes. Used by one thread at a time."""

    def __init__(self, limit: int = CACHED_BYTES) -> None:
        self._limit = limit
        self._entries: OrderedDict[Hashable, tuple[int, VectorMatrix]] = OrderedDict()

    def get(self, key: Hashable, position: int, load: Callable[[], VectorMatrix]) -> VectorMatrix:
        """The matrix of a key as of this position; it is loaded if it is not cached."""
        return self.find(key, position) or self.add(key, position, load())

    def find(self, key: Hashable, position: int) -> VectorMatrix | None:
        """The matrix as of this position; what was cached as of another one is discarded."""
        cached = self._entries.get(key)
        if cached and cached[0] == position:
            self._entries.move_to_end(key)
            return cached[1]
        self._entries.pop(key, None)
        return None

    def add(self, key: Hashable, position: int, matrix: VectorMatrix) -> VectorMatrix:
        self._entries[key] = (position, matrix)
        while sum(entry.size for _, entry in self._entries.values()) > self._limit:
            self._entries.popitem(last=False)
        return matrix


def check_sizes(vectors: Iterable[bytes], dimensions: int) -> None:
    """Raises EncoderMismatch for a vector of other dimensions."""
    for vector in vectors:
        if len(vector) != 2 * dimensions:
            raise EncoderMismatch(
                f"a vector has {len(vector) // 2} dimensions, and its encoder was added with {dimensions}"
            )


def _numpy() -> Any:
    return import_module("numpy")
