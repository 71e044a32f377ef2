"""Runs one command, and maps its exceptions to an exit status and a message."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from gencode import __version__
from gencode.cli.kind_commands import TASK_REGISTRY, CommandRegistry
from gencode.cli.output import printable
from gencode.domain.errors import GencodeError, StartError

DONE, FAILED, MISUSED, REFUSED, UNREACHABLE = 0, 1, 2, 3, 4
INTERRUPTED, PIPE_CLOSED = 130, 141
"""128 + the number of the signal (SIGINT, SIGPIPE), as shells report it."""

UNAUTHORIZED = "UNAUTHORIZED"
NO_CREDENTIALS = "; a key goes into GENCODE_API_KEY, or a file: --key-file; or log in: gencode login"
_STARTS_A_SERVICE = ("serve", "demo")

EPILOG = """\
exit status: 0 done; 1 the task failed or was cancelled, or something must be fixed; 2 wrong usage or
configuration; 3 the service refused; 4 no service answered; 130 interrupted (the task goes on)
"""


def main(arguments: Sequence[str] | None = None, registry: CommandRegistry = TASK_REGISTRY) -> int:
    """Return the exit status; see EPILOG. `arguments`: None for those of the process.

    `gencode.bootstrap.command_registry.main` is this with all commands.
    """
    argv = sys.argv[1:] if arguments is None else list(arguments)
    args = _parser(argv, registry).parse_args(argv)
    try:
        return int(args.run(args) or DONE)
    except KeyboardInterrupt:
        return _report_interrupt(args)
    except BrokenPipeError:
        # Without this, Python reports an error of its own when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        return _report(error, args)


def _parser(argv: Sequence[str], registry: CommandRegistry) -> argparse.ArgumentParser:
    """A parser with every command's name and help, and the arguments of the given one only."""
    parser = argparse.ArgumentParser(
        prog="gencode",
        description="Turn a prompt into a pushed Git repository.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gencode {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    given = next((argument for argument in argv if not argument.startswith("-")), "")
    for name, command in registry.commands.items():
        subparser = subparsers.add_parser(
            name,
            help=command.help,
            description=command.help[0].upper() + command.help[1:] + ".",
            allow_abbrev=False,
        )
        if name == given:
            _load(subparser, name, registry)
    return parser


def _load(parser: argparse.ArgumentParser, name: str, registry: CommandRegistry) -> None:
    module = _imported(registry.commands[name].module)
    module.add_arguments(parser)
    for extension in registry.extensions(name):
        _imported(extension).add_arguments(parser)
    parser.set_defaults(run=module.run, registry=registry)


def _imported(name: str) -> Any:
    """Imports a module without what would take a fifth of the start of the service: collections of garbage,
    which visit all that was imported before, and the packages by which structlog renders tracebacks and httpx
    has a command."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with _blocked("pygments"), _blocked("rich"):
            return import_module(name)
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _blocked(package: str) -> Iterator[None]:
    """Importing the package raises ImportError, unless it is imported already."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # so the import system is told
    try:
        yield
    finally:
        del sys.modules[package]


def _report(error: Exception, args: argparse.Namespace) -> int:
    """Recognises the client's errors by their `status`: not every command imports the client."""
    status = getattr(error, "status", None)
    if isinstance(error, StartError):
        subject = "gencode cannot start" if args.command in _STARTS_A_SERVICE else "gencode"
        return _fail(args, error, f"{subject} [{error.code}]: {error.message}", MISUSED)
    if isinstance(error, GencodeError):
        return _fail(args, error, f"gencode: {error.message} [{error.code}]", FAILED)
    if isinstance(status, int):
        hint = NO_CREDENTIALS if getattr(error, "code", "") == UNAUTHORIZED else ""
        return _fail(args, error, f"gencode: {error}{hint}", REFUSED if status else UNREACHABLE)
    raise error


def _fail(args: argparse.Namespace, error: Any, message: str, exit_status: int) -> int:
    """Print to standard error, with --json a document."""
    if getattr(args, "json", False):
        problem = {"code": error.code, "message": error.message, "status": getattr(error, "status", 0)}
        message = json.dumps(problem, ensure_ascii=False)
    print(printable(message), file=sys.stderr)
    return exit_status


def _report_interrupt(args: argparse.Namespace) -> int:
    task_id = getattr(args, "task_id", None)
    address = f" --url {args.url}" if getattr(args, "url_given", False) else ""
    message = f"the task goes on; come back with: gencode watch {task_id}{address}" if task_id else "stopped"
    print(printable(f"\ngencode: {message}"), file=sys.stderr)
    return INTERRUPTED
