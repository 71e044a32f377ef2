from __future__ import annotations

import asyncio

import pytest

from gencode.domain.errors import StoreUnusable
from gencode.retrieval.postgres import schema
from gencode.retrieval.postgres.index import open_postgres_index
from gencode.retrieval.records import SearchRequest
from tests.contract.test_retrieval_index import ask, document


async def test_processes_share_an_index(postgres: str) -> None:
    async with open_postgres_index(postgres) as one, open_postgres_index(postgres) as other:
        await one.apply("a", put=[document("x", "软件工程")])
        assert await ask(other, "软件") == [("x", 0)]


async def test_writers_of_one_base_wait_for_each_other(postgres: str) -> None:
    async with open_postgres_index(postgres) as one, open_postgres_index(postgres) as other:
        writes = [
            index.apply("a", put=[document(f"{n}", "same text")]) for n, index in enumerate([one, other] * 10)
        ]
        positions = await asyncio.gather(*writes)
        assert sorted(positions) == list(range(1, 21))
        assert (await one.state("a")).documents == 20


async def test_several_processes_may_start_at_once(postgres: str) -> None:
    async def start() -> int:
        async with open_postgres_index(postgres) as index:
            return (await index.state("a")).position

    assert await asyncio.gather(*(start() for _ in range(4))) == [0] * 4


async def test_another_tokeniser_makes_the_terms_again(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_postgres_index(postgres) as index:
        await index.apply("a", put=[document("x", *["软件工程"] * 3)])
    monkeypatch.setattr(schema, "TOKENIZER", "letters")
    monkeypatch.setattr(schema, "index_terms", list)
    monkeypatch.setattr(schema, "PAGE", 2)
    async with open_postgres_index(postgres) as index:
        assert len((await index.search(SearchRequest(base="a", terms=["软"]))).by_text) == 3
        assert not (await index.search(SearchRequest(base="a", terms=["软件"]))).by_text


async def test_an_index_of_a_newer_version_is_refused(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    async with open_postgres_index(postgres):
        pass
    monkeypatch.undo()
    with pytest.raises(StoreUnusable, match="newer"):
        async with open_postgres_index(postgres):
            pass


async def test_a_database_that_is_not_there_is_told(postgres: str) -> None:
    with pytest.raises(StoreUnusable):
        async with open_postgres_index(f"{postgres}_missing"):
            pass


async def test_a_lost_connection_is_opened_again(postgres: str) -> None:
    async with open_postgres_index(postgres) as index, open_postgres_index(postgres) as other:
        await index.apply("a", put=[document("x", "text")])
        kill = b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await other._writes.call(lambda connection: connection.fetch(kill))
        assert await index.apply("a", put=[document("y", "text")]) == 2
        assert await ask(index, "text") == [("x", 0), ("y", 0)]
