"""`gencode demo`: one prompt from submission to repository, on a service and in a directory of its own."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path

import anyio

from gencode.bootstrap.app import create_app
from gencode.bootstrap.model_registry import OFFLINE
from gencode.cli.display.event_printers import LineScreen
from gencode.cli.watching import follow
from gencode.client import Client
from gencode.embedded.bound_servers import FORGE_USER
from gencode.embedded.server import address, listen, serve
from gencode.observability.logs import configure_logging
from gencode.pipelines.generate.commands.display import DISPLAY
from gencode.security.secret_registry import SecretRegistry
from gencode.settings import Settings

PROMPT = "A small Flask web app with user registration and login"


def demo(settings: Settings) -> int:
    """Run the demo, which needs no key and only loopback. Returns the exit status: 0 if the project was
    pushed.

    The local forge ends with the demo, so the clone command names the bare repository's directory.
    """
    configure_logging("WARNING", settings.log_format, SecretRegistry(settings.secrets()).current)
    return anyio.run(_demo, settings.data_dir / "demo")


async def _demo(directory: Path) -> int:
    app = create_app(Settings.model_construct(data_dir=directory, server_port=0))
    name = f"demo-{secrets.token_hex(4)}"
    sock = listen()
    async with (
        app.router.lifespan_context(app),
        serve(app, sock),
        Client(address(sock)) as client,
    ):
        print(f"service   {address(sock)}, without your settings: the offline model answers")
        print(f"prompt    {PROMPT}\n", flush=True)
        task_id = (await client.submit(PROMPT, name, model=OFFLINE))["task_id"]
        await follow(client, task_id, LineScreen(DISPLAY))
        if (await client.task(task_id))["status"] != "completed":
            return 1
    bare = directory / "forge" / FORGE_USER / f"{name}.git"
    print(f"\ngit clone {shlex.quote(str(bare))} {name}", flush=True)
    return 0
