"""The command that the kind `build` adds to the command line."""

from __future__ import annotations

from gencode.cli.kind_commands import Command, KindCommands

_PACKAGE = "gencode.pipelines.build.commands"

BUILD_COMMANDS = KindCommands(
    kind="build",
    commands={
        "build": Command(help="build the project of a blueprint (WORKSPACE)", module=f"{_PACKAGE}.build"),
    },
    display=f"{_PACKAGE}.display:DISPLAY",
)
