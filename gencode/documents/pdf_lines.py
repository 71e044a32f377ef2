"""The straight lines that are drawn on a PDF page."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pypdfium2
from pypdfium2 import raw

Point = tuple[float, float]
Edge = dict[str, Any]
"""A line as pdfplumber's functions take it."""
View = Callable[[Point], Point]
"""From a place on a PDF page to one on the page as it is shown, to the right and down, in points."""
MAX_SEGMENTS = 20_000
"""Of a page; one with more is a drawing."""
_STRAIGHT = 1.0
"""Most points that a line may go up, or aside, on its way."""
_THIN = 2.5
"""Most points of the side of a rectangle that stands for a line."""
_VIEWS: Mapping[int, View] = {
    0: lambda point: (point[0], -point[1]),
    90: lambda point: (point[1], point[0]),
    180: lambda point: (-point[0], point[1]),
    270: lambda point: (-point[1], -point[0]),
}


def view_of(page: pypdfium2.PdfPage) -> View:
    return _VIEWS[page.get_rotation()]


def drawn_edges(page: pypdfium2.PdfPage) -> list[Edge]:
    """Horizontal and vertical ones that stand directly on the page; [] for a drawing."""
    view, edges = view_of(page), list[Edge]()
    count = 0
    for path in _paths(page):
        segments = raw.FPDFPath_CountSegments(path)
        count += max(segments, 0)
        if count > MAX_SEGMENTS:
            return []
        for start, end in _lines(path, segments):
            edges += _edges(view(start), view(end))
    return edges


def _paths(page: pypdfium2.PdfPage) -> Iterator[raw.FPDF_PAGEOBJECT]:
    for index in range(min(raw.FPDFPage_CountObjects(page), MAX_SEGMENTS)):
        found = raw.FPDFPage_GetObject(page, index)
        if found and raw.FPDFPageObj_GetType(found) == raw.FPDF_PAGEOBJ_PATH:
            yield found


def _lines(path: raw.FPDF_PAGEOBJECT, count: int) -> Iterator[tuple[Point, Point]]:
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(path, matrix)
    first = last = (0.0, 0.0)
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, index)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield last, point
            if raw.FPDFPathSegment_GetClose(segment):
                yield point, first
        last = point


def _edges(start: Point, end: Point) -> Iterator[Edge]:
    (left, right), (top, bottom) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    width, height = right - left, bottom - top
    box = {"x0": left, "x1": right, "top": top, "bottom": bottom, "width": width, "height": height}
    if height <= _STRAIGHT and width > _THIN:
        yield {**box, "bottom": top, "height": 0.0, "orientation": "h", "object_type": "line"}
    elif width <= _STRAIGHT and height > _THIN:
        yield {**box, "x1": left, "width": 0.0, "orientation": "v", "object_type": "line"}
