from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gencode.domain.errors import StoreError, StoreUnusable
from gencode.retrieval.records import SearchRequest
from gencode.retrieval.sqlite import schema
from gencode.retrieval.sqlite.index import open_sqlite_index
from tests.contract.test_retrieval_index import ask, document


async def test_an_index_is_there_again_after_it_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "retrieval.db"
    async with open_sqlite_index(path) as index:
        await index.apply("a", put=[document("x", "软件工程")])
    async with open_sqlite_index(path) as index:
        assert await ask(index, "软件") == [("x", 0)]
        assert (await index.state("a")).position == 1
    assert path.stat().st_mode & 0o777 == 0o600


async def test_another_tokeniser_builds_the_text_index_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "retrieval.db"
    async with open_sqlite_index(path) as index:
        await index.apply("a", put=[document("x", "软件工程")])
        await index.apply("b", put=[document("y", "软件")])
    monkeypatch.setattr(schema, "TOKENIZER", "letters")
    monkeypatch.setattr(schema, "index_terms", list)
    async with open_sqlite_index(path) as index:
        for base, name in (("a", "x"), ("b", "y")):
            found = await index.search(SearchRequest(base=base, terms=["软"]))
            assert [chunk.document for chunk in found.chunks.values()] == [name]
        await index.apply("a", remove=["x"])
        assert not (await index.search(SearchRequest(base="a", terms=["软"]))).chunks


async def test_a_file_of_another_application_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    with pytest.raises(StoreUnusable, match="another application"):
        async with open_sqlite_index(path):
            pass


async def test_an_index_of_a_newer_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "retrieval.db"
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    async with open_sqlite_index(path):
        pass
    monkeypatch.undo()
    with pytest.raises(StoreUnusable, match="newer"):
        async with open_sqlite_index(path):
            pass


async def test_a_change_that_fails_half_way_stores_nothing(tmp_path: Path) -> None:
    async with open_sqlite_index(tmp_path / "retrieval.db") as index:
        await index.apply("a", put=[document("x", "before")])
        twice = document("y", "one", "two")
        broken = document("y", "one", "two")
        object.__setattr__(broken, "chunks", [twice.chunks[0], twice.chunks[0]])  # one ordinal twice
        with pytest.raises(StoreError):
            await index.apply("a", remove=["x"], put=[broken])
        assert await ask(index, "before one") == [("x", 0)]
        assert (await index.state("a")).position == 1
        await index.apply("a", put=[twice])
        assert await ask(index, "two") == [("y", 1)]
