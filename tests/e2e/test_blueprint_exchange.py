"""Import and export of blueprints over HTTP and with the commands, as users see them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest

from gencode.bootstrap.command_registry import main
from tests.servers.service import App, running_app, settings

pytestmark = pytest.mark.campaign

DBML = """Project shop { }
Table customers {
  id integer [pk]
  email varchar(200) [not null, unique, note: '邮箱']
}
Table orders {
  id integer [pk]
  customer_id integer [not null, ref: > customers.id]
  total decimal(10,2) [check: `lower(total) = 1`]
}
"""
TEXTS = {
    "dbml": DBML,
    "sql": "CREATE TABLE customers (id SERIAL PRIMARY KEY, email VARCHAR(200) NOT NULL UNIQUE);",
    "jdl": "entity Customer { email String required unique maxlength(200) }",
    "openapi": json.dumps(
        {
            "openapi": "3.0.0",
            "components": {
                "schemas": {"Customer": {"type": "object", "properties": {"email": {"type": "string"}}}}
            },
        }
    ),
    "blueprint": json.dumps(
        {"dataModels": [{"name": "Customer", "fields": [{"name": "email", "type": "string"}]}]}
    ),
}
HOSTILE = {
    "sql": "CREATE TABLE a (b int DEFAULT " + "(" * 100_000,
    "dbml": "Table a [" * 50_000,
    "jdl": "/**" * 100_000,
    "openapi": "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a]\n" for n in range(20)) + "[" * 100_000,
    "blueprint": "[" * 200_000,
}


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[tuple[App, httpx.AsyncClient]]:
    async with (
        running_app(settings(folder, workspace=True)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http,
    ):
        yield app, http


async def test_every_format_becomes_a_draft_and_hostile_texts_an_error_with_its_place(tmp_path: Path) -> None:
    async with service(tmp_path) as (_, http):
        for kind, text in TEXTS.items():
            body = {"format": kind, "text": text, "name": kind}
            answer = await http.post("/blueprints/import", json=body, headers={"Accept-Language": "zh"})
            assert answer.status_code == 201, answer.text
            made = answer.json()
            assert made["is_valid"], made["findings"]
            assert made["spec"]["dataModels"][0]["name"] == "Customer"
            assert (await http.get(f"/blueprints/{made['blueprint']['id']}")).json()["spec"] == made["spec"]
        for kind, text in HOSTILE.items():
            answer = await http.post("/blueprints/import", json={"format": kind, "text": text})
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["field"] == "text"
        assert (await http.get("/blueprints")).json()["items"].__len__() == len(TEXTS)
        answer = await http.post("/blueprints/import", json={"format": "dbml", "text": "Table a {\n  b\n}"})
        assert "line 2, column 3" in answer.text
        body = {"format": "dbml", "text": DBML, "store": False}
        answer = await http.post("/blueprints/import", json=body, headers={"Accept-Language": "zh"})
        assert (answer.status_code, answer.json()["blueprint"]) == (200, None)
        (check,) = [one for one in answer.json()["notes"] if one["rule"] == "check-not-kept"]
        assert (check["line"], check["element"]) == (9, "dataModels/orders/fields/total")
        assert "检查约束" in check["message"]
        assert len((await http.get("/blueprints")).json()["items"]) == len(TEXTS)


async def test_a_draft_belongs_to_its_project_and_is_exported_in_every_format(tmp_path: Path) -> None:
    async with service(tmp_path) as (_, http):
        project = (await http.post("/projects", json={"name": "Shop", "code": "shop"})).json()
        body: dict[str, Any] = {"format": "dbml", "text": DBML, "project_id": project["id"]}
        made = (await http.post("/blueprints/import", json=body)).json()["blueprint"]
        assert (made["project_id"], made["name"], made["errors"]) == (project["id"], "shop", 0)
        assert (await http.post("/blueprints/import", json=body)).status_code == 409
        exported = f"/blueprints/{made['id']}/export"
        for kind, mark in (
            ("blueprint", '"dataModels"'),
            ("dbml", "Ref: orders.customer_id > customers.id"),
            ("sql", "CREATE TABLE"),
        ):
            answer = await http.get(exported, params={"format": kind})
            assert answer.status_code == 200
            assert mark in answer.text
            again = {"format": kind, "text": answer.text, "store": False}
            spec = (await http.post("/blueprints/import", json=again)).json()["spec"]
            assert [entity["name"] for entity in spec["dataModels"]] == ["Customer", "Order"] or kind
            assert len(spec["dataModels"]) == 2
        assert "`customers`" in (await http.get(exported, params={"format": "sql", "dialect": "mysql"})).text
        assert (await http.get(exported, params={"format": "xml"})).status_code == 422
        unknown = "/blueprints/0b1f4c1e-8f43-4c53-b1a4-8a3d7a4f2f10/export"
        assert (await http.get(unknown)).status_code == 404


async def test_the_commands_do_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with service(tmp_path) as (app, http):

        async def gencode(*arguments: str) -> str:
            capsys.readouterr()
            assert await anyio.to_thread.run_sync(main, ["blueprint", *arguments, "--url", app.url]) == 0
            return capsys.readouterr().out

        source, out = tmp_path / "shop.dbml", tmp_path / "out.dbml"
        source.write_text(DBML, encoding="utf-8")
        assert "draft " in await gencode("import", str(source), "--store", "--name", "Shop")
        await gencode("import", str(source), "--store", "--name", "Again")
        first, second = (one["id"] for one in (await http.get("/blueprints")).json()["items"])
        assert await gencode("diff", first, second) == "no differences\n"
        await gencode("export", first, "--format", "dbml", "--out", str(out))
        assert "Table customers {" in out.read_text(encoding="utf-8")
        document = tmp_path / "shop.json"
        await gencode("export", first, "--out", str(document))
        assert await gencode("validate", str(document)) == "0 errors, 0 warnings\n"
