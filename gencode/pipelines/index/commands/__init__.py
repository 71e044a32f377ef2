"""The command that the kind `index` adds to the command line."""

from __future__ import annotations

from gencode.cli.kind_commands import Command, KindCommands

_PACKAGE = "gencode.pipelines.index.commands"

INDEX_COMMANDS = KindCommands(
    kind="index",
    commands={
        "knowledge": Command(
            help="make knowledge bases, add documents, and search them (WORKSPACE)",
            module=f"{_PACKAGE}.knowledge",
        ),
    },
    display=f"{_PACKAGE}.display:DISPLAY",
)
