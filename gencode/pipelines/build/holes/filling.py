"""Puts statements into the holes of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict


class Hole(BaseModel):
    """A place in a file that a model may write. `body`: what stands there until then, indented."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    name: str
    path: str
    indent: str
    body: str


_END = re.compile(r"^[ \t]*# end of hole\n", re.MULTILINE)


def hole_in(text: str, hole: Hole) -> Hole | None:
    """The hole as another file of its path has it; None if it does not. Takes time in proportion to the
    text, whoever wrote it."""
    mark = re.compile(rf"^([ \t]*)# hole: {re.escape(hole.name)}\n", re.MULTILINE)
    if (begin := mark.search(text)) is None or (end := _END.search(text, begin.end())) is None:
        return None
    return hole.model_copy(update={"indent": begin[1], "body": text[begin.end() : end.start()]})


def filled(files: Mapping[str, str], holes: Iterable[Hole], bodies: Mapping[str, str]) -> dict[str, str]:
    """The files with these bodies (by name of the hole) in place of the declared ones."""
    result = dict(files)
    for hole in holes:
        if (body := bodies.get(hole.name)) is not None:
            result[hole.path] = filled_text(result[hole.path], hole, body)
    return result


def filled_text(text: str, hole: Hole, body: str) -> str:
    """`body`: statements without indentation."""
    marks = re.compile(
        rf"^([ \t]*# hole: {re.escape(hole.name)}\n).*?^([ \t]*# end of hole\n)", re.MULTILINE | re.DOTALL
    )
    inside = indented(body, hole.indent)
    return marks.sub(lambda found: f"{found[1]}{inside}{found[2]}", text, count=1)


def indented(body: str, indent: str) -> str:
    """Lines without trailing blanks; empty ones stay empty."""
    lines = (line.rstrip() for line in body.strip("\n").splitlines())
    return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
