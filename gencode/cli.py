"""The command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
import httpx

from gencode.backup import backup, restore
from gencode.client import Client, ServiceError
from gencode.demo import demo
from gencode.errors import GencodeError, StartError
from gencode.follow import follow
from gencode.replay import replay
from gencode.serve import serve
from gencode.settings import load, load_data_dir

URL = "http://127.0.0.1:8080"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 the task or the service failed, 2 wrong usage or configuration."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except StartError as error:
        print(f"gencode cannot start [{error.code}]: {error.message}", file=sys.stderr)
        return 2
    except GencodeError as error:
        print(f"gencode: {error.message} [{error.code}]", file=sys.stderr)
    except ServiceError as error:
        print(f"gencode: {error}", file=sys.stderr)
    except httpx.TransportError as error:
        print(
            f"gencode: no service answers at {chosen.url} ({error}); start one with: gencode serve",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("gencode: stopped watching; the task goes on", file=sys.stderr)
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gencode", description="Turn a prompt into a pushed Git repository."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("serve", help="run the service (settings: see .env.example)")
    run.set_defaults(run=lambda _: serve(load()))
    shown = commands.add_parser(
        "demo", help="run the whole job once, offline, and show how to clone the result"
    )
    shown.set_defaults(run=lambda _: demo(load()))
    make = commands.add_parser("generate", help="submit a prompt to a running service")
    make.add_argument("prompt", help="what to build; - reads it from standard input")
    make.add_argument("--repo", required=True, help="name of the repository to create")
    make.add_argument("--model", help="provider, or provider/model-id")
    make.add_argument("--org", help="organisation to create the repository in")
    make.add_argument(
        "--allow-secrets", action="store_true", help="push even what looks like a secret (default: fail)"
    )
    make.add_argument(
        "--best-effort", action="store_true", help="push even what the checks found faults in (default: fail)"
    )
    make.add_argument("--public", action="store_true", help="publish it (default: private)")
    make.add_argument("--max-tokens", type=int, help="stop before a model call that could pass it")
    make.add_argument("--max-cost", help="the same in money, as a decimal number (needs PRICES)")
    make.add_argument("--deadline", help="ask nothing of the model after it: 2030-01-31T18:00:00Z")
    make.add_argument("--follow", action="store_true", help="show progress until it is done")
    make.set_defaults(run=_run(_generate))
    watch = commands.add_parser("watch", help="show the progress of a task")
    watch.add_argument("task_id")
    watch.set_defaults(run=_run(_watch))
    again = commands.add_parser("retry", help="go on with a failed task; nothing is paid for twice")
    again.add_argument("task_id")
    again.add_argument("--follow", action="store_true", help="show progress until it is done")
    again.set_defaults(run=_run(_retry))
    rebuilt = commands.add_parser("replay", help="make a bundle's commit again, without model or service")
    rebuilt.add_argument("file", type=Path, help="what GET /api/v1/task/ID/bundle gave")
    rebuilt.add_argument(
        "--into", type=Path, required=True, help="folder for a bare repository, new or empty"
    )
    rebuilt.add_argument("--allow-workflows", action="store_true", help="also files in .github/workflows")
    rebuilt.set_defaults(run=_replay)
    saved = commands.add_parser("backup", help="copy DATA_DIR into one file, also while the service runs")
    saved.add_argument("file", type=Path, help="a new file; keep it as safe as DATA_DIR")
    saved.set_defaults(run=_backup)
    restored = commands.add_parser("restore", help="make DATA_DIR, which must be new or empty, from a backup")
    restored.add_argument("file", type=Path, help="what gencode backup wrote")
    restored.set_defaults(run=_restore)
    for command in (make, watch, again):
        command.add_argument("--url", default=os.environ.get("GENCODE_URL", URL), help=f"the service ({URL})")
    return parser


def _replay(chosen: argparse.Namespace) -> int:
    sha = replay(chosen.file, chosen.into, workflows=chosen.allow_workflows)
    print(f"{sha}\ngit clone {chosen.into}", flush=True)
    return 0


def _backup(chosen: argparse.Namespace) -> None:
    size = backup(load_data_dir(), chosen.file)
    print(f"{chosen.file}: {size} bytes", flush=True)


def _restore(chosen: argparse.Namespace) -> None:
    data_dir = load_data_dir()
    restore(chosen.file, data_dir)
    print(f"{data_dir} is restored; tasks that had not ended go on with: gencode serve", flush=True)


def _run(
    command: Callable[[Client, argparse.Namespace], Awaitable[int]],
) -> Callable[[argparse.Namespace], int]:
    async def with_client(chosen: argparse.Namespace) -> int:
        async with Client(chosen.url, os.environ.get("GENCODE_API_KEY", "")) as client:
            return await command(client, chosen)

    return lambda chosen: anyio.run(with_client, chosen)


async def _generate(client: Client, chosen: argparse.Namespace) -> int:
    prompt = sys.stdin.read() if chosen.prompt == "-" else chosen.prompt
    options = {
        "model": chosen.model,
        "github_org": chosen.org,
        "private": not chosen.public,
        "allow_secrets": chosen.allow_secrets,
        "deliver": "best_effort" if chosen.best_effort else "checked",
        "max_tokens": chosen.max_tokens,
        "max_cost": chosen.max_cost,
        "deadline": chosen.deadline,
    }
    task = await client.submit(prompt, chosen.repo, **options)
    print(f"task {task['task_id']}", flush=True)
    if chosen.follow:
        return await _show(client, task["task_id"])
    print(f"follow it with: gencode watch {task['task_id']}")
    return 0


async def _watch(client: Client, chosen: argparse.Namespace) -> int:
    return await _show(client, chosen.task_id)


async def _retry(client: Client, chosen: argparse.Namespace) -> int:
    before = await client.task(chosen.task_id)
    task = await client.retry(chosen.task_id)
    print(f"task {task['task_id']} goes on: {task['message']}", flush=True)
    if chosen.follow:
        return await _show(client, chosen.task_id, before["last_event_id"])
    print(f"follow it with: gencode watch {task['task_id']}")
    return 0


async def _show(client: Client, task_id: str, after: int = 0) -> int:
    repo_url = await follow(client, task_id, after)
    if repo_url:
        print(f"\ngit clone {repo_url}", flush=True)
    return 0 if repo_url else 1
