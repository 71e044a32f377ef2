"""The tasks of a campaign: every byte of their files is known in advance, from a seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import Any

PIECE_LENGTH = 600
"""Characters that the scripted model sends before its token limit cuts the answer."""
CLIENTS = {"ann": "key-of-ann-3c1f", "bob": "key-of-bob-9a27", "cyd": "key-of-cyd-51e8"}
"""API keys by client name."""
_WORDS = ("naïve", "café", "生成代码", "推送到仓库", "файл", "🙂", "👩‍💻", "plain", "Ω≈ç√", "text")
_FOLDERS = ("", "src/", "src/app/", "docs/", "tests/", "资料/")
_KINDS = (".md", ".txt")
"""Kinds of files that are not parsed by the validator."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One task. `key`: of idempotency; `files`: what its repository must contain in the end;
    `purpose_length`: characters in its plan about each file."""

    number: int
    client: str
    key: str
    model: str
    org: str | None
    language: str
    files: Mapping[str, str]
    purpose_length: int

    @property
    def repo_name(self) -> str:
        return f"campaign-{self.number:05d}"

    @property
    def body(self) -> dict[str, Any]:
        """The request; the model recognises the order by its number in the prompt."""
        prompt = f"Order number {self.number}. 一个小项目 for {self.client} 🙂"
        request = {"prompt": prompt, "repo_name": self.repo_name, "model": self.model, "private": False}
        return request | ({"github_org": self.org} if self.org else {})

    @property
    def plan(self) -> str:
        words = "".join(islice(cycle(f"文件的用途 файл 🙂 {self.number} "), self.purpose_length))
        names = [words[:300]] * (self.purpose_length // 100)
        files = [{"path": path, "purpose": words, "exports": names} for path in self.files]
        return json.dumps({"summary": f"项目 {self.number} — déjà vu 🙂", "files": files}, ensure_ascii=False)

    @property
    def parts(self) -> frozenset[str]:
        """The names of all checkpoints of the model's answers."""
        pieces = {f"piece:{n}:{path}" for path, text in self.files.items() for n in _rounds(text)}
        return frozenset({"plan"} | pieces)


def make_orders(count: int, calls: int, random: Random) -> list[Order]:
    """`count` orders that need about `calls` model calls each."""
    return [_order(number, calls, random) for number in range(count)]


def _order(number: int, calls: int, random: Random) -> Order:
    return Order(
        number=number,
        client=random.choice(list(CLIENTS)),
        key=f"order-{number}-{random.getrandbits(32):08x}",
        model=random.choice(["deepseek", "openai"]),
        org=random.choice([None, None, "acme"]),
        language=random.choice(["en", "zh"]),
        files=dict(_files(max(2, calls - 1), random)),
        purpose_length=random.choice([10, 10, 100, 2000]),
    )


def _files(calls: int, random: Random) -> list[tuple[str, str]]:
    """Files that take `calls` answers in total, up to five per file."""
    found: list[tuple[str, str]] = []
    while calls > 0:
        rounds = min(calls, random.randint(1, 5))
        size = rounds * PIECE_LENGTH - random.randrange(PIECE_LENGTH - 1)
        path = f"{random.choice(_FOLDERS)}file_{len(found)}{random.choice(_KINDS)}"
        found.append((path, _text(size, random)))
        calls -= rounds
    return found


def _text(size: int, random: Random) -> str:
    """All lines differ, so that the continuation merge finds no repetition in it."""
    lines: list[str] = []
    length = 0
    while length < size:
        line = f"{len(lines):04d} {random.getrandbits(64):016x} {' '.join(random.sample(_WORDS, 3))}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines)[: size - 1] + "\n"


def _rounds(text: str) -> range:
    return range(1, -(-len(text) // PIECE_LENGTH) + 1)
