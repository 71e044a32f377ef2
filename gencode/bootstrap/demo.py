"""`gencode demo`: the whole main job once, on a service of its own, in a folder of its own."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path

import anyio

from gencode.bootstrap.app import create_app
from gencode.cli.display.lines import Lines
from gencode.cli.follow import follow
from gencode.client import Client
from gencode.embedded.lazy_server import FORGE_USER
from gencode.embedded.server import address, listen, serve
from gencode.observability.logs import configure
from gencode.security.secrets import SecretRegistry
from gencode.settings import Settings

PROMPT = "A small Flask web app with user registration and login"


def demo(settings: Settings) -> int:
    """Needs no key and touches no network but loopback. The exit status: 0 when the project was pushed.

    The local forge ends with the demo, so the clone command names the bare repository's folder.
    """
    configure("WARNING", settings.log_format, SecretRegistry(settings.secrets()).current)
    return anyio.run(_demo, settings.data_dir / "demo")


async def _demo(folder: Path) -> int:
    app = create_app(Settings.model_construct(data_dir=folder, server_port=0))
    name = f"demo-{secrets.token_hex(4)}"
    sock = listen()
    async with (
        app.router.lifespan_context(app),
        serve(app, sock),
        Client(address(sock)) as client,
    ):
        print(f"service   {address(sock)}\nprompt    {PROMPT}\n", flush=True)
        task = await client.submit(PROMPT, name)
        await follow(client, task["task_id"], Lines())
        if (await client.task(task["task_id"]))["status"] != "completed":
            return 1
    print(f"\ngit clone {shlex.quote(str(folder / 'forge' / FORGE_USER / f'{name}.git'))} {name}", flush=True)
    return 0
