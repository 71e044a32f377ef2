"""The command line: a table of commands, and what their endings mean to a shell."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

from gencode.cli.display.printable import printable
from gencode.domain.errors import GencodeError, StartError

DONE, FAILED, MISUSED, REFUSED, UNREACHABLE = 0, 1, 2, 3, 4
INTERRUPTED, PIPE_CLOSED = 130, 141
"""As shells show the signals' ends."""

UNAUTHORIZED = 401

COMMANDS = {
    "serve": "run the service (settings: see .env.example)",
    "demo": "run the whole job once, offline, and show how to clone the result",
    "generate": "submit a prompt to a running service",
    "watch": "show the progress of a task",
    "tasks": "list your tasks, newest first",
    "show": "show one task, its files or its report",
    "cancel": "end a task",
    "retry": "go on with a failed task; nothing is paid for twice",
    "approve": "show, change and approve the plan that a task waits with",
    "download": "fetch the files of a task, also of one that failed",
    "estimate": "what a prompt would probably cost; no model is asked",
    "replay": "make a bundle's commit again, without model or service",
    "keys": "make, list and revoke API keys, also while the service runs",
    "doctor": "check configuration, folder, store, port, tokens and models; say what to do",
    "backup": "copy DATA_DIR into one file, also while the service runs",
    "restore": "make DATA_DIR, which must be new or empty, from a backup",
    "prune": "delete old tasks of a stopped service and make its database smaller",
}
EPILOG = """\
exit status: 0 done; 1 the task failed or was cancelled, or something is to be mended; 2 wrong usage or
configuration; 3 the service refused; 4 no service answered; 130 interrupted (the task goes on)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: see EPILOG."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    chosen = _parser(given).parse_args(given)
    try:
        return int(chosen.run(chosen) or DONE)
    except KeyboardInterrupt:
        return _detached(chosen)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        return PIPE_CLOSED
    except Exception as error:
        return _told(error, chosen)


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Of all commands, with the arguments of the one that was given."""
    parser = argparse.ArgumentParser(
        prog="gencode",
        description="Turn a prompt into a pushed Git repository.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gencode {version('gencode')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    wanted = next((word for word in given if not word.startswith("-")), "")
    for name, words in COMMANDS.items():
        command = commands.add_parser(
            name, help=words, description=words[0].upper() + words[1:] + ".", allow_abbrev=False
        )
        if name == wanted:
            _fill(command, name)
    return parser


def _fill(command: argparse.ArgumentParser, name: str) -> None:
    """Each command is a module that is imported only when it is called: `gencode keys` needs no web server,
    and `gencode serve` no terminal graphics."""
    module: Any = import_module(f"gencode.cli.commands.{name}")
    module.arguments(command)
    command.set_defaults(run=module.run)


def _told(error: Exception, chosen: argparse.Namespace) -> int:
    """By the names of the client's errors: it is imported only by the commands that use it."""
    status = getattr(error, "status", None)
    if isinstance(error, StartError):
        begin = "gencode cannot start" if chosen.command in ("serve", "demo") else "gencode"
        return _say(chosen, error, f"{begin} [{error.code}]: {error.message}", MISUSED)
    if isinstance(error, GencodeError):
        return _say(chosen, error, f"gencode: {error.message} [{error.code}]", FAILED)
    if isinstance(status, int):
        hint = "; it goes into GENCODE_API_KEY, or a file: --key-file" if status == UNAUTHORIZED else ""
        return _say(chosen, error, f"gencode: {error}{hint}", REFUSED if status else UNREACHABLE)
    raise error


def _say(chosen: argparse.Namespace, error: Any, words: str, exit_status: int) -> int:
    """On standard error; with --json as a document."""
    if getattr(chosen, "json", False):
        problem = {"code": error.code, "message": error.message, "status": getattr(error, "status", 0)}
        words = json.dumps(problem, ensure_ascii=False)
    print(printable(words), file=sys.stderr)
    return exit_status


def _detached(chosen: argparse.Namespace) -> int:
    task_id = getattr(chosen, "task_id", None)
    address = f" --url {chosen.url}" if getattr(chosen, "url_given", False) else ""
    words = f"the task goes on; come back with: gencode watch {task_id}{address}" if task_id else "stopped"
    print(printable(f"\ngencode: {words}"), file=sys.stderr)
    return INTERRUPTED
