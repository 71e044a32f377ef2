"""The command that the kind `requirement_analysis` adds to the command line."""

from __future__ import annotations

from gencode.cli.kind_commands import Command, KindCommands

_PACKAGE = "gencode.pipelines.requirement_analysis.commands"

REQUIREMENT_COMMANDS = KindCommands(
    kind="requirement_analysis",
    commands={
        "requirements": Command(help="find the requirements of a document", module=f"{_PACKAGE}.requirements")
    },
    display=f"{_PACKAGE}.display:DISPLAY",
)
