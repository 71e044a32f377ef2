"""Puts marks that nobody has listed around files and into them, and looks for those that nothing notices.

    python -m tests.campaigns.marks --cases 10000 --seed 1

A mark is made of brackets or signs, words and their spelling by chance; it stands before a file, after it, on
both sides, between two lines or at the end of a line. The checks of an answer, and those before a push, must
refuse the answer or remove the mark. Prints how many files were delivered, how many refused, and how many
were delivered with the mark, which must be none. The same files without a mark must be delivered.

Marks that are comments of the language are not made, nor words in parentheses, which may be columns: nothing
tells them from the author's.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gencode.codegen.answer_checks import check_file
from gencode.codegen.file_extraction import file_in_answer
from gencode.codegen.validation.answer_residue import residue_findings
from gencode.llm.errors import LLMBadOutput

REFUSED, RIGHT, WRONG, LOST = "refused", "the file", "WRONG", "a file without a mark, refused"
_WORDS = (
    *(
        "end",
        "begin",
        "start",
        "stop",
        "file",
        "code",
        "output",
        "answer",
        "done",
        "cut",
        "part 2",
        "continue",
    ),
    *(
        "continued",
        "result",
        "response",
        "eof",
        "final",
        "assistant",
        "snip",
        "break",
        "sql",
        "content",
        "page",
    ),
    *("xq71", "section", "block", "thought", "reply", "turn", "ctx", "artifact", "fin", "完", "续"),
)
_BRACKETS = (
    *(("[", "]"), ("<", ">"), ("{", "}"), ("【", "】"), ("«", "»"), ("「", "」"), ("[[", "]]")),
    *(("{{", "}}"), ("<<", ">>"), ("<|", "|>"), ("<｜", "｜>"), ("[|", "|]"), ("</", ">"), ("<!", "!>")),
    *(("%%", "%%"), ("@@", "@@"), ("==", "=="), ("~~", "~~"), ("**", "**"), ("++", "++")),
    *(
        ("$$$", "$$$"),
        ("&&&", "&&&"),
        ("^^", "^^"),
        (":::", ":::"),
        ("!!!", "!!!"),
        ("???", "???"),
        (">>>", ""),
    ),
    *(("___", "___"), ("\\", ""), ("@", "@"), ("/", "/"), ("§", "§"), ("│", "│")),
    *(("[/", "]"), ("<0x", ">"), ("~~~", ""), ("...", "..."), ("→", ""), ("✂", "✂"), ("⟦", "⟧")),
)
_PLACES = ("before", "after", "around", "between", "at the end of a line", "glued after")
_TABLES = ("notes", "users", "orders", "invoice_lines", "tags", "events", "sessions", "countries")
_COLUMNS = ("id INTEGER PRIMARY KEY", "name TEXT NOT NULL", "total NUMERIC(10, 2) DEFAULT 0", "at TIMESTAMP")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """`whole`: the file; `answer`: with the mark."""

    path: str
    whole: str
    answer: str
    mark: str
    place: str


def case(chance: random.Random, path: str) -> Case:
    whole = FILES[path](chance)
    mark, place = _mark(chance), chance.choice(_PLACES)
    while path == "app.ini" and mark[0] == "[" and mark[1] not in "[|/":
        mark = _mark(chance)  # a section, perhaps without keys
    lines = whole.splitlines(keepends=True)
    at = chance.randrange(1, len(lines))
    if place == "at the end of a line" and ("--" in lines[at - 1] or "#" in lines[at - 1]):
        place = "between"  # there, it would be a comment
    if path != "schema.sql" and place in ("at the end of a line", "glued after"):
        place = "after"  # there, it may be a value
    answer = {
        "before": f"{mark}\n{whole}",
        "after": f"{whole}{mark}\n",
        "around": f"{mark}\n{whole}{mark}\n",
        "between": "".join([*lines[:at], f"{mark}\n", *lines[at:]]),
        "at the end of a line": "".join(
            [*lines[: at - 1], f"{lines[at - 1].rstrip()} {mark}\n", *lines[at:]]
        ),
        "glued after": f"{whole.rstrip()}{mark}",
    }[place]
    return Case(path=path, whole=whole, answer=answer, mark=mark, place=place)


def _mark(chance: random.Random) -> str:
    opening, closing = chance.choice(_BRACKETS)
    words = chance.sample(_WORDS, chance.choice([1, 1, 1, 2, 3]))
    text = chance.choice([" ", "_", "-", " "]).join(words)
    text = chance.choice([str.lower, str.upper, str.title])(text)
    space = chance.choice(["", "", " "])
    return f"{opening}{space}{text}{space}{closing}".rstrip()


def _sql(chance: random.Random) -> str:
    statements = [_statement(chance, table) for table in chance.sample(_TABLES, chance.randint(2, 6))]
    return chance.choice(["", "-- The tables.\n", "BEGIN;\n", "/* made by hand */\n"]) + "".join(statements)


def _statement(chance: random.Random, table: str) -> str:
    columns = chance.sample(_COLUMNS, chance.randint(1, len(_COLUMNS)))
    return chance.choice(
        [
            f"CREATE TABLE {table} (\n  " + ",\n  ".join(columns) + "\n);\n",
            f"CREATE INDEX {table}_i ON {table} (name);\n",
            f"INSERT INTO {table} (name) VALUES\n  ('[end]'),\n  ('a; b');\n",
            f"SELECT *\nFROM {table} AS t  -- all\nWHERE t.id > 1\n  AND t.name <> 'x';\n",
            f"ALTER TABLE {table} ADD COLUMN more TEXT;\n\n",
            f"UPDATE {table} SET name = upper(name) WHERE id IN (1, 2, 3);\n",
            f"COMMENT ON TABLE {table} IS 'of the [shop]';\n",
        ]
    )


def _dockerfile(chance: random.Random) -> str:
    lines = [
        "WORKDIR /app",
        "COPY . .",
        "RUN make && \\\n    make install",
        "EXPOSE 80",
        "USER app",
        "# later",
    ]
    return (
        "FROM python:3.12\n" + "".join(f"{line}\n" for line in chance.sample(lines, 4)) + 'CMD ["python"]\n'
    )


def _makefile(chance: random.Random) -> str:
    targets = ["build", "test", "lint", "clean"]
    rules = [f"{target}:\n\techo {target}\n\n" for target in chance.sample(targets, 3)]
    return "CC ?= gcc\n\n" + "".join(rules) + ".PHONY: build\n"


def _env(chance: random.Random) -> str:
    names = ["PORT=80", "DEBUG=false", "DATABASE_URL=sqlite:///a", 'NAME="a b"', "EMPTY="]
    return "".join(f"{line}\n" for line in ["# copy it", *chance.sample(names, 4)])


def _ini(chance: random.Random) -> str:
    return "".join(f"[{name}]\nkey = {n}\nother: x\n\n" for n, name in enumerate(chance.sample(_TABLES, 3)))


FILES: dict[str, Callable[[random.Random], str]] = {
    "schema.sql": _sql,
    "Dockerfile": _dockerfile,
    "Makefile": _makefile,
    ".env.example": _env,
    "app.ini": _ini,
}


def outcome(path: str, answer: str, whole: str) -> str:
    """What the checks of an answer, and those before a push, make of it."""
    try:
        check_file(path, answer)
    except LLMBadOutput:
        return REFUSED
    text = file_in_answer(answer, path)
    if any(residue_findings(path, text)):
        return REFUSED
    return RIGHT if text == whole else WRONG


def run(count: int, seed: int, path: str) -> Iterator[tuple[Case, str]]:
    """Each case depends on the seed and its number alone."""
    for number in range(count):
        made = case(random.Random(f"{seed}:{number}"), path)
        if outcome(path, made.whole, made.whole) != RIGHT:
            yield made, LOST
        yield made, outcome(path, made.answer, made.whole)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = 0
    for path in FILES:
        counts: Counter[str] = Counter()
        for made, found in run(options.cases, options.seed, path):
            counts[found] += 1
            if found in (WRONG, LOST):
                print(f"{found}: {path} {made.place}: {made.mark!r}")
        failed += counts[WRONG] + counts[LOST]
        print(f"{path:14} {dict(counts)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
