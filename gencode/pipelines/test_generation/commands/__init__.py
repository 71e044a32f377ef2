"""The command that the kind `test_generation` adds to the command line."""

from __future__ import annotations

from gencode.cli.kind_commands import Command, KindCommands

_PACKAGE = "gencode.pipelines.test_generation.commands"

TEST_COMMANDS = KindCommands(
    kind="test_generation",
    commands={
        "tests": Command(
            help="have tests written for changed or named functions (WORKSPACE)", module=f"{_PACKAGE}.tests"
        ),
    },
    display=f"{_PACKAGE}.display:DISPLAY",
)
