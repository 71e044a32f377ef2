"""Template sets and deployment configs from a terminal and a synchronous program."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import anyio
import pytest

from gencode import SyncClient
from tests.e2e.test_templates import MODEL, SPEC, a_set, zipped
from tests.servers.command import gencode
from tests.servers.service import running_app, settings

pytestmark = pytest.mark.campaign


async def test_the_synchronous_client_proves_and_applies_a_set(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        await anyio.to_thread.run_sync(used, app.url)


def used(url: str) -> None:
    with SyncClient(url) as client:
        name, data, _ = zipped(a_set()["manifest"])["file"]
        stored = client.upload_template_set(name, data, name="Ours")
        assert (stored["name"], stored["status"]) == ("Ours", "draft")
        assert client.prove_template_set(stored["id"])["status"] == "proven"
        blueprint = client.call("POST", "/blueprints", body={"name": "Shop", "spec": SPEC})["id"]
        packed = client.apply_template_set(stored["id"], blueprint, database="mysql")
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            assert "models/order.py" in archive.namelist()
        newer = zipped(a_set("1.0.1")["manifest"])["file"][1]
        following = client.upload_template_set("b.zip", newer, version_of=stored["id"])
        assert (following["previous_id"], following["version_tag"]) == (stored["id"], "1.0.1")
        assert client.data(f"/templates/{stored['id']}/archive.zip").startswith(b"PK")
        project = client.call("POST", "/projects", body={"name": "Shop", "code": "shop"})["id"]
        config = client.create_deployment(
            project_id=project, name="P", env_name="prod", secrets={"MAIL_PASSWORD": "s"}
        )
        assert "MAIL_PASSWORD" in client.render_deployment(config["id"])["missing"]


async def test_a_rejected_set_ends_the_command_with_status_1(tmp_path: Path) -> None:
    careless = MODEL.replace("[[ field.label | py ]]", '"[[ field.label ]]"')
    made, file = a_set(**{"model.py.j2": careless}), tmp_path / "set.zip"
    file.write_bytes(zipped(made["manifest"], made["files"])["file"][1])
    async with running_app(settings(tmp_path / "data", workspace=True)) as app:

        async def run(*arguments: str | Path, status: int = 0) -> str:
            words = ("templates", *arguments, "--url", app.url)
            return await gencode(*words, data_dir=tmp_path / "none", status=status)

        stored = json.loads(await run("upload", file, "--json"))["id"]
        assert "rejected" in await run("prove", stored, status=1)
        assert "leave --name" in await run("upload", file, "--version-of", stored, "--name", "N", status=2)
