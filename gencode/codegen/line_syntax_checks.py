"""Checks the syntax of file formats without a grammar, line by line: Dockerfile, Makefile, .env, .ini, go.mod
and SQL. Prose, refusals, error messages, tool calls and special tokens match none of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from gencode.codegen.sql_syntax import faulty_sql

MAX_LINE = 2000
"""Characters of a line that are looked at."""
_DOCKER = re.compile(
    r"(?:FROM|ARG|RUN|CMD|LABEL|MAINTAINER|EXPOSE|ENV|ADD|COPY|ENTRYPOINT|VOLUME|USER|WORKDIR|ONBUILD|STOPSIGNAL"
    r"|HEALTHCHECK|SHELL)\s+\S",
    re.IGNORECASE,
)
_HEREDOC = re.compile(r"^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\b[^\n]*<<", re.MULTILINE | re.IGNORECASE)
_MAKE = re.compile(
    r".*[:=]|(?:-|s)?include\s|(?:ifeq|ifneq)\b|(?:ifdef|ifndef|define|undefine|export|unexport|vpath|override)\s"
    r"|(?:else|endif|export|unexport|vpath)\b|\$[({]|\.\w+|[%}]"
)
_ENV = re.compile(r"(?:export\s+)?[A-Za-z_][\w.-]*\s*(?:=|$)")
_INI = re.compile(
    r"\[[^\[\]|<>]+\][ \t]*(?:[;#].*)?$|[\w\"'.*/%$\\(-][^=:]*[=:]|[\w.-]+[ \t]*$|[%!]include\b"
)
_GO_MOD = re.compile(
    r"(?:module|go|require|replace|exclude|retract|toolchain|tool|godebug|ignore)\b|[)\s]|[\w./~-]+ v\d"
)
_FRAMED = re.compile(r"\s*(?:([=%@:~+*$&^!?_.<>-])\1+ ?\w[\w -]*(?:\1\1+|>>)|\[/[^\]]*\]|\{\{[\w -]+\}\})\s*")
"""A line that is nothing but words between signs."""
_TEMPLATE = r"(?!.*\.(?:j2|jinja2?|tmpl|tpl|erb|md|txt|dockerignore|[jt]s|json|ya?ml|sh|py)\Z)"
_FORMS = (
    (re.compile(rf"{_TEMPLATE}(?:(?:docker|container)file(?:\.[\w-]+)*|.+\.dockerfile)"), "docker"),
    (re.compile(rf"{_TEMPLATE}(?:(?:gnu)?makefile(?:\.[\w-]+)*|.+\.mk)"), "make"),
    (re.compile(rf"{_TEMPLATE}\.env(?:\.[\w-]+)*"), "env"),
    (re.compile(r".+\.ini"), "ini"),
    (re.compile(r"go\.mod"), "go.mod"),
    (re.compile(r".+\.sql"), "sql"),
)


def syntax_error(path: str, text: str) -> str:
    """Why the text is not a file of its kind, with the line that shows it; "" if nothing shows it."""
    name = path.rpartition("/")[2].lower()
    kind = "" if "{" in path else next((kind for names, kind in _FORMS if names.fullmatch(name)), "")
    line = next(_faulty_lines(kind, text.removeprefix("\ufeff")), "") if kind else ""
    return f"the line {' '.join(line.split())[:80]!r} cannot be in such a file" if line else ""


def _faulty_lines(kind: str, text: str) -> Iterator[str]:
    if kind == "sql":
        return faulty_sql(text)
    form, lines = _LINES[kind]
    return (
        line for line in lines(text) if not form.match(line[:MAX_LINE]) or _FRAMED.fullmatch(line[:MAX_LINE])
    )


def _lines(text: str, comments: tuple[str, ...]) -> Iterator[str]:
    """Those that begin a statement: neither blank, nor a comment, nor continued from the one before."""
    is_continued = False
    for line in text.split("\n"):
        bare = line.strip()
        if not bare or bare.startswith(comments):
            continue
        if not is_continued:
            yield line.rstrip("\r")
        is_continued = bare.endswith(("\\", "`"))


def _docker_lines(text: str) -> Iterator[str]:
    """The instructions; only the first one of a file with here-documents, whose text may be anything."""
    lines = (f"{line.lstrip()} " for line in _lines(text, ("#",)))
    return islice(lines, 1 if _HEREDOC.search(text) else None)


def _make_lines(text: str) -> Iterator[str]:
    """Lines outside of recipes; a file that defines texts of several lines may have any."""
    if re.search(r"^\s*define\b", text, re.MULTILINE):
        return
    yield from (line for line in _lines(text, ("#",)) if line[:1] != "\t" and line[:2] != "  ")


def _env_lines(text: str) -> Iterator[str]:
    """Lines outside of quoted values of several lines, which are rare: a file with one may have any."""
    if any(line.count(quote) % 2 for line in _lines(text, ("#",)) for quote in "\"'"):
        return
    yield from _lines(text, ("#",))


def _go_lines(text: str) -> Iterator[str]:
    return _lines(text, ("//",))


def _statements(text: str) -> Iterator[str]:
    return (line for line in _lines(text, ("#", ";")) if not line[:1].isspace())


_LINES: Mapping[str, tuple[re.Pattern[str], Callable[[str], Iterable[str]]]] = {
    "docker": (_DOCKER, _docker_lines),
    "make": (_MAKE, _make_lines),
    "env": (_ENV, _env_lines),
    "ini": (_INI, _statements),
    "go.mod": (_GO_MOD, _go_lines),
}
"""For each kind of file, the form of a line, and the function that yields the lines that must have it."""
