"""The bot in docs/bots.md, run as it is printed there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import anyio

from tests.servers.service import ROOT, running_app, settings


async def test_the_bot_of_the_document_answers_each_message(tmp_path: Path) -> None:
    document = (ROOT / "docs/bots.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(# bot.py.*?)^```$", document, re.DOTALL | re.MULTILINE)
    (tmp_path / "bot.py").write_text(program, encoding="utf-8")
    async with running_app(settings(tmp_path)) as app:
        done = await anyio.run_process(
            [sys.executable, "bot.py"],
            input=b"page a static page\nno/name a page\nnothing\n",
            cwd=tmp_path,
            env={"GENCODE_URL": app.url, "PYTHONPATH": str(ROOT), "PATH": "", "PYTHONUTF8": "1"},
            stderr=subprocess.STDOUT,
            check=False,
        )
    said = done.stdout.decode().splitlines()
    assert done.returncode == 0, said
    assert any(re.fullmatch(r"page: git clone (http|file)://\S+/page\.git", line) for line in said), said
    assert any(line.startswith("no/name: repo_name:") for line in said), said
    assert any(line.startswith("nothing: prompt:") for line in said), said
