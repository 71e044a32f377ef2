"""Knowledge bases over HTTP: documents are indexed, searched, cited, also across kill -9."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from pydantic import SecretStr

from gencode.retrieval.memory import MemoryIndex
from gencode.retrieval.search import HybridSearch
from gencode.settings import Settings
from gencode.storage.backup import backup, restore
from tests.benchmarks.retrieval import LANGUAGES, SLICE, places, read
from tests.servers.calls import client, get, post
from tests.servers.embeddings import EmbeddingsServer, embeddings_server
from tests.servers.git_server import git_server
from tests.servers.service import running_app, service, settings
from tests.servers.stream import ReceivedEvent, events
from tests.unit.documents.pdf_files import pdf_file

pytestmark = pytest.mark.campaign
HERE = "127.0.0.1/32"
"""Whose APIs may be called, also where the service is for others."""
ENVIRONMENT = {
    "WORKSPACE": "true",
    "WORKSPACE_ALLOW_NETWORKS": HERE,
    "ENCRYPTION_KEY": b64encode(b"k" * 32).decode(),
}

CHINESE = (
    "# 发布流程\n\n每次发布之前，必须先运行全部测试。发布由两名工程师批准。\n\n## 回滚\n\n回滚需要十分钟。\n"
)
ENGLISH = "# Deployment\n\nThe service starts within two seconds.\n\n## Backups\n\nBackups run at three.\n"


def chosen(folder: Path, **fields: Any) -> Settings:
    return settings(folder, workspace=True, workspace_allow_networks=HERE, **fields)


async def a_base(url: str, **fields: Any) -> str:
    created = await post(url, "/knowledge/bases", {"name": "guides", **fields})
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


async def add(url: str, base: str, name: str, text: str, status: int = 202) -> dict[str, Any]:
    answer = await post(url, f"/knowledge/bases/{base}/documents", {"name": name, "text": text})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def documents(url: str, base: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await get(url, f"/api/v1/knowledge/bases/{base}/documents"))["items"]
    return items


async def settled(url: str, base: str) -> list[dict[str, Any]]:
    """The documents, when none is pending or processing."""
    while True:
        rows = await documents(url, base)
        if all(row["processing_status"] in ("completed", "failed") for row in rows):
            return rows
        await anyio.sleep(0.02)


async def active(url: str, base: str) -> None:
    """Returns when searches use the encoder of the base."""
    while (await get(url, f"/api/v1/knowledge/bases/{base}"))["encoder_status"] != "active":
        await anyio.sleep(0.02)


async def search(url: str, base: str, query: str) -> dict[str, Any]:
    answer = await post(url, f"/knowledge/bases/{base}/search", {"query": query})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def a_config(url: str, server: EmbeddingsServer, **fields: Any) -> str:
    given = {"name": "vectors", "provider": "compatible", "base_url": server.base_url, "model": "embed"}
    created = await post(url, "/ai/models", {**given, "api_key": "sk-77aa", **fields})
    assert created.status_code == 201, created.text
    return str(created.json()["reference"])


async def test_documents_are_found_in_both_languages_and_cited(tmp_path: Path) -> None:
    async with running_app(chosen(tmp_path)) as app:
        base = await a_base(app.url)
        await add(app.url, base, "发布.md", CHINESE)
        added = await add(app.url, base, "deployment.md", ENGLISH)
        again = await add(app.url, base, "copy.md", ENGLISH, status=200)
        assert again["id"] == added["id"]
        rows = await settled(app.url, base)
        assert [row["processing_status"] for row in rows] == ["completed", "completed"]
        found = await search(app.url, base, "谁批准发布？")
        best = found["sources"][0]
        assert (best["document_name"], found["is_complete"]) == ("发布.md", True)
        marked = [best["text"][span["start"] : span["end"]] for span in best["highlights"]]
        assert "批准发布" in "".join(marked) or "批准" in marked
        assert (await search(app.url, base, "backups"))["sources"][0]["document_name"] == "deployment.md"

        fields = ("knowledge_base_id", "document_id", "document_name", "ordinal", "sha256", "text", "start")
        shown = [{name: best[name] for name in fields}]
        quotes = [{"text": "发布由两名工程师批准", "source": 0}, {"text": "发布由一名工程师批准"}]
        checked = await post(app.url, "/knowledge/verify", {"quotes": quotes, "sources": shown})
        verified = checked.json()["citations"]
        assert [one["is_verified"] for one in verified] == [True, False]
        assert CHINESE[verified[0]["locations"][0]["start"] :].startswith("发布由两名工程师批准")

        chunks = await get(
            app.url, f"/api/v1/knowledge/bases/{base}/documents/{added['id']}/chunks?limit=100"
        )
        assert "".join(chunk["text"] for chunk in chunks["items"]) == ENGLISH
        async with client(app.url) as http:
            deleted = await http.delete(f"/api/v1/knowledge/bases/{base}/documents/{added['id']}")
        assert deleted.status_code == 204
        left = (await search(app.url, base, "backups"))["sources"]
        assert added["id"] not in {one["document_id"] for one in left}
        view = await get(app.url, f"/api/v1/knowledge/bases/{base}")
        assert (view["document_count"], view["is_complete"]) == (1, True)


async def test_an_encoder_is_measured_charged_and_replaced_beside_the_old_one(tmp_path: Path) -> None:
    async with embeddings_server() as server, running_app(chosen(tmp_path)) as app:
        config = await a_config(app.url, server, price_prompt="1", price_completion="1")
        base = await a_base(app.url, encoder="model", encoder_config=config)
        await add(app.url, base, "发布.md", CHINESE)
        (row,) = await settled(app.url, base)
        assert row["processing_status"] == "completed", row
        view = await get(app.url, f"/api/v1/knowledge/bases/{base}")
        assert view["encoder_status"] == "active"
        found = await search(app.url, base, "回滚")
        assert found["sources"][0]["vector_rank"] is not None
        assert found["without_vectors"] == []

        async with client(app.url) as http:
            changed = await http.patch(f"/api/v1/knowledge/bases/{base}", json={"encoder_dimensions": 4})
        assert changed.json()["encoder_status"] == "building"
        await active(app.url, base)
        assert server.bodies[-1]["dimensions"] == 4
        assert (await search(app.url, base, "回滚"))["sources"][0]["vector_rank"] is not None


async def test_a_document_that_the_encoder_refuses_fails_alone(tmp_path: Path) -> None:
    async with embeddings_server() as server, running_app(chosen(tmp_path)) as app:
        server.refused = "hostile"
        base = await a_base(app.url, encoder="model", encoder_config=await a_config(app.url, server))
        await add(app.url, base, "bad.md", "a hostile text")
        await add(app.url, base, "发布.md", CHINESE)
        bad, good = await settled(app.url, base)
        assert (bad["error_code"], good["processing_status"]) == ("LLM_BAD_REQUEST", "completed")
        await active(app.url, base)
        found = await search(app.url, base, "a text 回滚")
        assert {one["document_name"] for one in found["sources"]} == {"发布.md"}
        assert (found["is_complete"], found["missing"][0]["document_name"]) == (False, "bad.md")
        assert found["sources"][0]["vector_rank"] is not None

        server.refused = "\0"
        again = await post(app.url, f"/knowledge/bases/{base}/documents/{bad['id']}/index")
        assert again.status_code == 202, again.text
        assert {row["processing_status"] for row in await settled(app.url, base)} == {"completed"}
        assert (await search(app.url, base, "hostile"))["sources"][0]["document_name"] == "bad.md"


async def test_after_kill_9_the_index_is_complete_and_nothing_is_doubled(tmp_path: Path) -> None:
    texts = [
        f"# Part {n}\n\n" + "".join(f"Sentence {m} of the guide about topic{n}. " for m in range(800))
        for n in range(3)
    ]
    async with embeddings_server() as server, service(tmp_path, ENVIRONMENT) as process:
        server.gated_at = 2
        base = await a_base(process.url, encoder="model", encoder_config=await a_config(process.url, server))
        for number, text in enumerate(texts):
            await add(process.url, base, f"{number}.md", text)
        await server.arrived.wait()
        await process.kill()
        server.gated_at = None
        await process.start()
        rows = await settled(process.url, base)
        assert [row["processing_status"] for row in rows] == ["completed"] * 3
        view = await get(process.url, f"/api/v1/knowledge/bases/{base}")
        assert (view["encoder_status"], view["document_count"]) == ("active", 3)
        for row, text in zip(rows, texts, strict=True):
            path = f"/api/v1/knowledge/bases/{base}/documents/{row['id']}/chunks?limit=100"
            assert "".join(chunk["text"] for chunk in (await get(process.url, path))["items"]) == text
        assert (await search(process.url, base, "topic2"))["sources"][0]["document_name"] == "2.md"
        paid = [text for inputs in server.asked for text in inputs]
        twice = {text for text in paid if paid.count(text) > 1}
        assert twice <= set(server.asked[2])  # the request that the kill has cut off


async def test_a_kill_between_the_vectors_and_their_bill_charges_the_reserve(tmp_path: Path) -> None:
    """The vectors are there, so no further call tells what the task has used."""
    async with (
        embeddings_server() as server,
        service(tmp_path, ENVIRONMENT, failpoint="vectors.after:1") as process,
    ):
        base = await a_base(process.url, encoder="model", encoder_config=await a_config(process.url, server))
        added = await add(process.url, base, "guide.md", "# Guide\n\nApples are red.\n")
        await process.ended()
        await process.start()
        history = await events(process.url, added["task_id"])
        assert history[-1].data["status"] == "completed"
        assert len(server.asked) == 2  # which vectors it makes, and those of the document
        used = [event.data["total"]["prompt"] for event in history if event.kind == "usage"][-1]
        ledger = (await get(process.url, "/api/v1/usage"))["total"]
        assert used == ledger["prompt_tokens"]
        assert ledger["unsettled"] == 1


async def upload(url: str, base: str, name: str, data: bytes) -> dict[str, Any]:
    async with client(url) as http:
        path = f"/api/v1/knowledge/bases/{base}/documents/upload"
        answer = await http.post(path, files={"file": (name, data)})
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_an_uploaded_document_is_read_and_a_hostile_one_fails_alone(tmp_path: Path) -> None:
    async with running_app(chosen(tmp_path)) as app:
        base = await a_base(app.url)
        await upload(app.url, base, "bad.docx", b"PK\x03\x04 no archive at all")
        await upload(
            app.url,
            base,
            "guide.pdf",
            pdf_file([[(50, 700, "Page one is about apples.")], [(50, 700, "Page two has pears.")]]),
        )
        await upload(app.url, base, "发布.md", CHINESE.encode("gb18030"))
        bad, good, chinese = await settled(app.url, base)
        assert (bad["processing_status"], bad["error_code"]) == ("failed", "DOCUMENT_UNREADABLE")
        assert (good["processing_status"], good["pages"]) == ("completed", 2)
        assert chinese["warnings"][0]["zh"].startswith("编码")
        found = await search(app.url, base, "pears")
        assert (found["sources"][0]["document_name"], found["missing_count"]) == ("guide.pdf", 1)
        assert (await search(app.url, base, "回滚"))["sources"][0]["document_name"] == "发布.md"


async def test_questions_find_their_paragraphs_as_the_benchmark_measures_it(tmp_path: Path) -> None:
    """Through documents, tasks and routes: the benchmark calls the index alone."""
    async with running_app(chosen(tmp_path)) as app:
        for language in LANGUAGES:
            paragraphs, questions = read(SLICE, language)
            base = await a_base(app.url, name=language)
            for paragraph in paragraphs:
                text = "".join(chunk.text for chunk in paragraph.chunks)
                await add(app.url, base, paragraph.id, text)
            await settled(app.url, base)
            found = [await _documents_found(app.url, base, question) for question, _ in questions]
            index = MemoryIndex()
            await index.apply(language, put=paragraphs)
            measured = await places(HybridSearch(index), language, questions)
            pairs = [(names, name) for names, (_, name) in zip(found, questions, strict=True)]
            assert sum(names[:1] == [name] for names, name in pairs) >= measured.count(0)
            assert sum(name in names for names, name in pairs) >= len(measured) - measured.count(None)


async def _documents_found(url: str, base: str, question: str) -> list[str]:
    return [source["document_name"] for source in (await search(url, base, question))["sources"]]


@pytest.mark.one_process("it reads and removes files of DATA_DIR")
async def test_a_backup_has_the_index(tmp_path: Path) -> None:
    async with running_app(chosen(tmp_path)) as app:
        base = await a_base(app.url)
        await add(app.url, base, "发布.md", CHINESE)
        await settled(app.url, base)
        await anyio.to_thread.run_sync(backup, tmp_path / "data", tmp_path / "backup.zip")
    restore(tmp_path / "backup.zip", tmp_path / "restored" / "data")
    async with running_app(chosen(tmp_path / "restored")) as app:
        assert (await search(app.url, base, "回滚"))["sources"][0]["document_name"] == "发布.md"
    for file in (tmp_path / "data").glob("retrieval.db*"):
        file.unlink()
    async with running_app(chosen(tmp_path)) as app:
        assert (await search(app.url, base, "回滚"))["sources"] == []
        submitted = await post(app.url, "/knowledge/index", {"knowledge_base_id": base})
        assert submitted.status_code == 202, submitted.text
        await events(app.url, submitted.json()["task_id"])
        assert (await search(app.url, base, "回滚"))["sources"][0]["document_name"] == "发布.md"


@pytest.mark.one_process("each worker has clones of its own")
async def test_files_of_a_repository_are_indexed_and_replaced_by_those_of_a_later_commit(
    tmp_path: Path,
) -> None:
    async with git_server(tmp_path / "served") as server, running_app(chosen(tmp_path)) as app:
        repository = server.repository()
        repository.commit(
            {
                "README.md": "# 项目\n\n结算服务计算每月账单。\n".encode(),
                "src/tax.py": b"def tax_rate(country):\n    return RATES[country]\n",
                "src/copy.py": b"def tax_rate(country):\n    return RATES[country]\n",
                "old.py": b"def forgotten_function():\n    pass\n",
                "node_modules/x/index.js": b"vendored()\n",
                "yarn.lock": b"lock\n",
                "logo.png": b"\x89PNG\0",
                "latin.txt": "caf\u00e9".encode("latin-1"),
                "data.json": b"{}",
                "empty.py": b"",
                "link:evil.py": b"../../etc/passwd",
            },
            "first",
        )
        body = {"name": "project", "repository_url": server.url()}
        made = await post(app.url, "/git/repositories", body)
        assert made.status_code == 201, made.text
        base = await a_base(app.url)
        wanted = {"knowledge_base_id": base, "repository_id": made.json()["id"]}
        first = await _index(app.url, wanted)
        (told,) = [event.data for event in first if event.kind == "repository_read"]
        assert (told["files"], first[-1].data["status"]) == (3, "completed"), first[-1].data
        reasons = {one["path"]: one["reason"] for one in told["excluded"]}
        assert reasons == {
            "src/tax.py": "same_content",
            "node_modules": "vendored",
            "yarn.lock": "kind",
            "logo.png": "kind",
            "latin.txt": "not_utf8",
            "data.json": "kind",
            "empty.py": "empty",
            "evil.py": "symlink",
        }
        assert await _documents_found(app.url, base, "每月账单") == ["README.md"]
        kept = {row["name"]: row["id"] for row in await settled(app.url, base)}

        readme = "# 项目\n\n结算服务计算每月账单。\n".encode()
        head = repository.commit({"README.md": readme, "src/tax.py": b"def tax_rate():\n    return 7\n"})
        await post(app.url, f"/git/repositories/{made.json()['id']}/sync")
        synced = (await get(app.url, "/api/v1/tasks?limit=1"))["tasks"][0]["task_id"]
        await events(app.url, synced)
        task = await _index(app.url, {**wanted, "ref": "main"})
        assert task[-1].data["status"] == "completed", task[-1].data
        rows = {row["name"]: row["id"] for row in await settled(app.url, base)}
        assert rows["README.md"] == kept["README.md"]
        assert sorted(rows) == ["README.md", "src/tax.py"]
        assert {row["commit_id"] for row in await settled(app.url, base)} == {head}
        assert await _documents_found(app.url, base, "forgotten_function") == []


async def _index(url: str, body: dict[str, str]) -> list[ReceivedEvent]:
    submitted = await post(url, "/knowledge/index", body)
    assert submitted.status_code == 202, submitted.text
    return await events(url, submitted.json()["task_id"])


async def test_a_public_base_is_readable_by_others_and_never_changed(tmp_path: Path) -> None:
    async with running_app(chosen(tmp_path)) as app:
        base = await a_base(app.url, is_public=True)
        row = await add(app.url, base, "发布.md", CHINESE)
        await settled(app.url, base)
    async with (
        running_app(chosen(tmp_path, api_keys=SecretStr("other=other-key"))) as app,
        client(app.url) as http,
    ):
        http.headers["authorization"] = "Bearer other-key"
        path = f"/api/v1/knowledge/bases/{base}"
        found = await http.post(f"{path}/search", json={"query": "回滚"})
        assert found.json()["sources"][0]["document_id"] == row["id"]
        assert (await http.get(f"{path}/documents")).status_code == 200
        refused = [
            await http.post(f"{path}/documents", json={"name": "x", "text": "x"}),
            await http.delete(f"{path}/documents/{row['id']}"),
            await http.post(f"{path}/documents/{row['id']}/index"),
            await http.patch(path, json={"name": "mine"}),
            await http.delete(path),
        ]
        assert {answer.status_code for answer in refused} == {404}


async def test_limits_hold_and_a_retry_continues(tmp_path: Path) -> None:
    async with embeddings_server() as server, running_app(chosen(tmp_path)) as app:
        config = await a_config(app.url, server, monthly_token_limit=1)
        base = await a_base(app.url, encoder="model", encoder_config=config)
        row = await add(app.url, base, "发布.md", CHINESE)
        (failed,) = await settled(app.url, base)
        assert (failed["error_code"], server.asked) == ("LLM_LIMIT_REACHED", [])
        path = f"/api/v1/ai/models/{config.removeprefix('config/')}"
        async with client(app.url) as http:
            assert (await http.patch(path, json={"monthly_token_limit": None})).status_code == 200
        await events(app.url, row["task_id"])
        retried = await post(app.url, f"/task/{row['task_id']}/retry")
        assert retried.status_code == 202, retried.text
        await events(app.url, row["task_id"])
        (done,) = await settled(app.url, base)
        assert (done["processing_status"], done["progress"]) == ("completed", 100)
        await active(app.url, base)


async def test_a_task_stops_before_it_could_pass_its_budget(tmp_path: Path) -> None:
    async with embeddings_server() as server, running_app(chosen(tmp_path)) as app:
        base = await a_base(app.url)
        await add(app.url, base, "发布.md", CHINESE)
        await settled(app.url, base)
        config = await a_config(app.url, server)
        changes = {"encoder": "model", "encoder_config": config, "encoder_dimensions": 4}
        server.refused = "# 发布"  # so that the task of the change leaves the work to the next ones
        async with client(app.url) as http:
            changed = await http.patch(f"/api/v1/knowledge/bases/{base}", json=changes)
            assert changed.status_code == 200, changed.text
        newest = (await get(app.url, "/api/v1/tasks?limit=1"))["tasks"][0]["task_id"]
        assert "LLM_BAD_REQUEST" in {event.data.get("code") for event in await events(app.url, newest)}
        server.refused = "\0"
        body = {"knowledge_base_id": base, "max_tokens": 1}
        task = (await post(app.url, "/knowledge/index", body)).json()["task_id"]
        (failure,) = [event.data for event in await events(app.url, task) if event.kind == "error"]
        assert (failure["code"], failure["retry_fields"][0]) == ("BUDGET_EXCEEDED", "max_tokens")
        assert (await search(app.url, base, "回滚"))["sources"][0]["vector_rank"] is None
        assert (await post(app.url, f"/task/{task}/retry", {"max_tokens": 10_000})).status_code == 202
        heard = await events(app.url, task)
        used = [event.data["tokens"]["prompt"] for event in heard if event.kind == "usage"]
        assert used == [sum(len(text) for text in server.asked[-1])]
        assert (await search(app.url, base, "回滚"))["sources"][0]["vector_rank"] == 1
