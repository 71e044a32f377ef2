"""Which commands there are, and what each kind of task adds to them. Nothing listed here is imported yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gencode.cli.approval import Reviewer
    from gencode.cli.display.kind_display import KindDisplay


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """`module` has `add_arguments(parser)` and `run(args)`, which returns the exit status (None: 0). It is
    imported only when the command runs: `gencode keys` loads no web server, `gencode serve` no terminal
    graphics."""

    help: str
    module: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KindCommands:
    """What one kind of task adds to the command line. Modules and objects are named, not imported.

    commands    the kind's own, by name
    extensions  by the name of a command for all kinds: a module whose `add_arguments(parser)` adds options
                to it. See `gencode.cli.commands.show` and `.retry` for what the options set
    display     `module:attribute` of a KindDisplay: how events and tasks of the kind are shown
    reviewer    `module:attribute` of a Reviewer: what a user sees before approving a task of the kind
    """

    kind: str
    commands: Mapping[str, Command] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    display: str = ""
    reviewer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandExtension:
    """`module` has `add_arguments(parser)`, which adds options or verbs to a command of another part."""

    command: str
    module: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandRegistry:
    """Every command by name, in the order of the help text, and what kinds and other parts add to them."""

    commands: Mapping[str, Command]
    kinds: Mapping[str, KindCommands] = field(default_factory=dict)
    added: Sequence[CommandExtension] = ()

    def extensions(self, command: str) -> Iterator[str]:
        """Modules that add options or verbs to a command."""
        yield from (kind.extensions[command] for kind in self.kinds.values() if command in kind.extensions)
        yield from (extension.module for extension in self.added if extension.command == command)

    def display(self, kind: str) -> KindDisplay | None:
        """None for a kind that registers none."""
        found: KindDisplay | None = self._load(kind, "display")
        return found

    def reviewer(self, kind: str) -> Reviewer | None:
        """None for a kind that registers none."""
        found: Reviewer | None = self._load(kind, "reviewer")
        return found

    def _load(self, kind: str, field: str) -> Any:
        reference = getattr(self.kinds.get(kind), field, "")
        module, _, attribute = reference.partition(":")
        return getattr(import_module(module), attribute) if reference else None


def registry_of(*parts: Mapping[str, Command] | KindCommands | CommandExtension) -> CommandRegistry:
    """Commands and kinds together, in this order. Raises ValueError for a name that is given twice."""
    commands: dict[str, Command] = {}
    for part in parts:
        if isinstance(part, CommandExtension):
            continue
        added = part.commands if isinstance(part, KindCommands) else part
        if taken := commands.keys() & added.keys():
            raise ValueError(f"commands registered twice: {', '.join(sorted(taken))}")
        commands |= added
    kinds = {part.kind: part for part in parts if isinstance(part, KindCommands)}
    extensions = tuple(part for part in parts if isinstance(part, CommandExtension))
    return CommandRegistry(commands=commands, kinds=kinds, added=extensions)


TASK_COMMANDS: Mapping[str, Command] = {
    "watch": Command(help="show the progress of a task", module="gencode.cli.commands.watch"),
    "tasks": Command(help="list your tasks, newest first", module="gencode.cli.commands.tasks"),
    "show": Command(help="show one task, its files or its report", module="gencode.cli.commands.show"),
    "cancel": Command(help="end a task", module="gencode.cli.commands.cancel"),
    "delete": Command(help="delete a task that is over", module="gencode.cli.commands.delete"),
    "retry": Command(
        help="go on with a failed task; nothing is paid for twice", module="gencode.cli.commands.retry"
    ),
    "approve": Command(
        help="show, change and approve the plan that a task waits with",
        module="gencode.cli.commands.approve",
    ),
}
"""Commands for tasks of every kind, also of kinds that this version does not know."""

LOGIN_COMMANDS: Mapping[str, Command] = {
    "login": Command(help="log in with an account (WORKSPACE)", module="gencode.cli.commands.login"),
    "logout": Command(help="end the session of gencode login", module="gencode.cli.commands.logout"),
}

BLUEPRINT_COMMANDS: Mapping[str, Command] = {
    "blueprint": Command(
        help="validate, compare, import and export blueprints of applications",
        module="gencode.cli.commands.blueprint",
    ),
    "templates": Command(
        help="upload, prove and apply template sets (WORKSPACE)", module="gencode.cli.commands.templates"
    ),
    "deployments": Command(
        help="store deployment configs, and render them (WORKSPACE)",
        module="gencode.cli.commands.deployments",
    ),
}

TASK_REGISTRY = registry_of(TASK_COMMANDS)
