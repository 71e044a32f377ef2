"""Mixtures of what models put around a file, cut anywhere and continued in several manners.

    python -m tests.campaigns.answers --mixtures 100000 --seed 1

Each mixture is one file, written by the product's own FileGenerator from a scripted model's answers: a remark
or title, a code block, tag or JSON, further remarks and blocks, a cut, an end that is not one. Prints how
many files are the original, how many were refused, and how many are others, which must be none.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio

from gencode.codegen.code_fences import is_fence, is_markdown, split_lines
from gencode.codegen.continuation_merge import file_text
from gencode.codegen.file_checkpoints import Piece
from gencode.codegen.file_generator import FileGenerator, WritingLimits
from gencode.domain.errors import GencodeError, Transient
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.port import ChatRequest, Message, Usage
from gencode.llm.session import Answer, LLMSession
from tests.campaigns.corpus import sample, source_files

RIGHT, REFUSED, WRONG = "right", "refused", "wrong"
MAX_TOKENS = 1000
ATTEMPTS = 3
TEXTS = {
    "Dockerfile": 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN pip install x\nCMD ["python", "a.py"]\n',
    "schema.sql": "-- The tables.\nCREATE TABLE notes (\n  id INTEGER PRIMARY KEY,\n  text TEXT\n);\n",
    "setup.cfg": "[metadata]\nname = notes\nversion = 1.0\n\n[options]\npackages = find:\n",
    ".env.example": "# Copy it to .env\nDATABASE_URL=sqlite:///notes\nDEBUG=false\n",
    "Makefile": "all: build\n\nbuild:\n\tgo build ./...\n\n.PHONY: all build\n",
    "src/doc.py": '"""Notes.\n\n```\nadd("x")\n```\n"""\n\n\ndef add(text: str) -> None:\n    print(text)\n',
    "web/vite.config.ts": "export default {\n  include: ['src/**/*.ts'],\n  name: `a${1}b`,\n}\n",
    "README.md": "# Notes\n\nA tool.\n\n```bash\npip install notes\n```\n\n## Use\n\n```py\nimport x\n```\n",
    "docs/guide.md": "```bash\nmake\n```\n\n# Guide\n\nText.\n",
    "setup.sh": "#!/bin/sh\ncat > README.md <<EOF\n# x\n\n```\ny\n```\nEOF\necho done\n",
}
HEADS = (
    *("", "", "", "Here is the file:\n\n", "**{path}**\n\n", "### {path}\n\n", "`{path}`:\n", "{path}\n"),
    "I apologize for the confusion. Here is the corrected file,\nwith all that you asked for:\n\n",
    "以下是文件内容：\n\n",
)
TAILS = (
    *("", "", "", "\n", "\nThis file does what you asked for.\n", "\nLet me know if you need more!\n"),
    "\nRun it with:\n\n```bash\nmake run\n```\n",
    "\n### Notes\n\n- it has no tests\n- it is small\n\nUsage:\n\n```\nmake run\n```\n\nEnjoy.\n",
)
MANNERS = ("exact", "exact", "repeats", "own fence", "preamble and fence", "anew", "empty", "remark")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """One file, what the model answers for it, and how it goes on after a cut."""

    path: str
    whole: str
    answer: str
    wrapper: str
    cut: int | None
    manner: str
    native: bool
    says_stop: bool

    @property
    def name(self) -> str:
        cut = "whole" if self.cut is None else f"cut, {'native' if self.native else self.manner}"
        return f"{self.wrapper}, {cut}{', says stop' if self.says_stop else ''}"


@dataclass(kw_only=True)
class ScriptedSession:
    """In place of an LLMSession: each attempt gets the model's next answer."""

    mixture: Mixture
    chance: random.Random
    calls: int = 0
    provider: Any = field(init=False)

    def __post_init__(self) -> None:
        self.provider = type("Scripted", (), {"native_prefix": self.mixture.native})

    async def ask(self, request: ChatRequest, about: str, parse: Callable[[Answer], Piece]) -> Piece:
        for attempt in range(ATTEMPTS):
            self.calls += 1
            try:
                return parse(self._answer(request.prefix))
            except Transient:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError

    async def emit(self, *updates: StageUpdate) -> None:
        """Nothing is stored."""

    def usage_update(self, about: str, usage: Usage) -> StageUpdate:
        return StageUpdate()

    def _answer(self, prefix: str) -> Answer:
        mixture = self.mixture
        if prefix:
            return Answer(text=self._continuation(len(prefix)), truncated=False)
        if mixture.cut is None:
            return Answer(text=mixture.answer, truncated=False)
        usage = Usage(completion=MAX_TOKENS)
        return Answer(text=mixture.answer[: mixture.cut], truncated=not mixture.says_stop, usage=usage)

    def _continuation(self, point: int) -> str:
        answer, manner = self.mixture.answer, self.mixture.manner
        rest, fence = answer[point:], f"```{self.mixture.path.rpartition('.')[2]}\n"
        if self.mixture.native or manner == "exact":
            return rest
        start = self.mixture.answer.find(self.mixture.whole)
        end = start + len(self.mixture.whole)
        of_file = answer[max(point, start) : end]
        lines = answer[:point].splitlines(keepends=True)[-self.chance.choice([1, 2, 5, 20]) :]
        return {
            "repeats": "".join(lines) + rest,
            "own fence": f"{fence}{of_file}```\n",
            "preamble and fence": f"Here is the rest of the file:\n\n{fence}{of_file}```\n\nThat is all.\n",
            "anew": answer,
            "empty": "",
            "remark": "The file is complete.",
        }[manner]


def mixture(files: Sequence[tuple[str, str]], chance: random.Random) -> Mixture:
    path, whole = chance.choice(files)
    wrapper = chance.choice(
        ["bare", "fence", "fence", "fence", "unclosed fence", "tag", "json", "fence in tag"]
    )
    if is_markdown(path) and wrapper == "fence":
        wrapper = "markdown fence"
    text = _wrapped(wrapper, path, whole, chance)
    head, tail = chance.choice(HEADS).format(path=path), chance.choice(TAILS)
    if wrapper in ("bare", "json", "unclosed fence"):
        head, tail = ("", "") if wrapper != "unclosed fence" else (head, "")
    answer = text if is_markdown(path) else f"{head}{text}{tail}"
    if chance.random() < 0.2 and wrapper != "json":
        answer, whole = answer.replace("\n", "\r\n"), whole.replace("\n", "\r\n")
    cut = chance.randrange(1, len(answer)) if chance.random() < 0.6 and wrapper != "json" else None
    return Mixture(
        path=path,
        whole=whole,
        answer=answer,
        wrapper=wrapper,
        cut=cut,
        manner=chance.choice(MANNERS),
        native=chance.random() < 0.3,
        says_stop=cut is not None and chance.random() < 0.3,
    )


def _wrapped(wrapper: str, path: str, whole: str, chance: random.Random) -> str:
    info = chance.choice(["", path.rpartition(".")[2].lower(), path, f"text:{path}"])
    longest = max(
        (len(line) - len(line.lstrip("`")) for line in split_lines(whole) if is_fence(line)), default=0
    )
    mark = chance.choice(["```", "````", "~~~"])
    if wrapper == "markdown fence":
        return f"{'`' * max(4, longest + 1)}markdown\n{whole}{'`' * max(4, longest + 1)}\n"
    if wrapper == "fence in tag":
        return f'<file path="{path}">\n{mark}{info}\n{whole}{mark}\n</file>\n'
    return {
        "bare": whole,
        "fence": f"{mark}{info}\n{whole}{mark}\n",
        "unclosed fence": f"{mark}{info}\n{whole}",
        "tag": f'<file path="{path}">\n{whole}</file>\n',
        "json": json.dumps({"path": path, "content": whole}),
    }[wrapper]


async def outcome(mixed: Mixture, chance: random.Random) -> tuple[str, int]:
    """The outcome, and how many calls it took."""
    session = ScriptedSession(mixture=mixed, chance=chance)
    limits = WritingLimits(max_tokens=MAX_TOKENS, rounds=4)
    generator = FileGenerator(session=cast(LLMSession, session), limits=limits, kind="piece")
    pieces: list[Piece] = []
    try:
        await generator.write(
            mixed.path, (Message(role="user", content=""),), pieces, lambda *_: StageUpdate()
        )
    except GencodeError:
        return REFUSED, session.calls
    return (RIGHT if file_text(pieces, mixed.path) == mixed.whole else WRONG), session.calls


def corpus(seed: int, roots: Sequence[Path] = (), count: int = 40) -> list[tuple[str, str]]:
    """Files below `roots`, or of the machine, that end with LF; and texts that no grammar reads."""
    found = list(TEXTS.items()) * 4
    for files in source_files(roots, system=False).values():
        found += [(path.name, text) for path, text in sample(files, count, 100, 4000, seed)]
    return [(path, f"{text.rstrip()}\n") for path, text in found if "\r" not in text and text.strip()]


async def run(mixtures: int, seed: int, roots: Sequence[Path] = ()) -> Counter[tuple[str, str]]:
    """Counts by the mixture's name and outcome."""
    chance, files = random.Random(seed), corpus(seed, roots)
    counts: Counter[tuple[str, str]] = Counter()
    for _ in range(mixtures):
        mixed = mixture(files, chance)
        result, calls = await outcome(mixed, chance)
        counts[mixed.name, result] += 1
        if result == WRONG or calls > ATTEMPTS * 4:
            print(f"{result.upper()}: {mixed.path} {mixed.name}, {calls} calls: {mixed.answer[:150]!r}")
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mixtures", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts = anyio.run(run, options.mixtures, options.seed)
    for name in sorted({name for name, _ in counts}):
        print(f"{name:<44}", *(f"{counts[name, kind]:>7}" for kind in (RIGHT, REFUSED, WRONG)))
    total = Counter[str]()
    for (_, kind), count in counts.items():
        total[kind] += count
    print(f"\n{sum(total.values())} mixtures: {dict(total)}")
    return 1 if total[WRONG] else 0


if __name__ == "__main__":
    raise SystemExit(main())
