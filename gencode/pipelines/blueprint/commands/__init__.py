"""What the kind `blueprint` adds to the command line: the verb `gencode blueprint parse`."""

from __future__ import annotations

from gencode.cli.kind_commands import CommandExtension, KindCommands

_PACKAGE = "gencode.pipelines.blueprint.commands"

BLUEPRINT_TASKS = KindCommands(kind="blueprint", display=f"{_PACKAGE}.display:DISPLAY")
BLUEPRINT_PARSE = CommandExtension(command="blueprint", module=f"{_PACKAGE}.parse")
