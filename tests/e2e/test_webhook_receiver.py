"""The receiver in docs/webhooks.md, run as it is printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gencode.embedded.server import address, listen, serve
from tests.faults.test_webhooks import ALL, LOOPBACK, SECRET, delivered, submitted
from tests.servers.calls import get
from tests.servers.service import ROOT, running_app, settings


async def test_the_receiver_of_the_document_verifies_and_prints_each_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(
        r"^```python\n(# receiver.py.*?)^```$",
        (ROOT / "docs/webhooks.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(compile(program, "receiver.py", "exec"), names)
    sock = listen()
    chosen = settings(tmp_path, webhook_secret=SecretStr(SECRET), **LOOPBACK)
    async with serve(names["app"], sock), running_app(chosen) as app:
        task_id = await submitted(app.url, f"{address(sock)}/gencode")
        await delivered(app.url, task_id)
        task = await get(app.url, f"/api/v1/task/{task_id}")
    said = [line for line in capsys.readouterr().out.splitlines() if line.split(" ")[0] in ALL]
    assert [line.split(" ")[0] for line in said] == ALL
    assert said[-1] == f"completed {task['repo_url']}"
