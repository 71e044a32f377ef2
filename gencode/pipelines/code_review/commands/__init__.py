"""The command that the kind `code_review` adds to the command line."""

from __future__ import annotations

from gencode.cli.kind_commands import Command, KindCommands

_PACKAGE = "gencode.pipelines.code_review.commands"

REVIEW_COMMANDS = KindCommands(
    kind="code_review",
    commands={
        "review": Command(
            help="have the changes of a working copy, or a patch, reviewed", module=f"{_PACKAGE}.review"
        )
    },
    display=f"{_PACKAGE}.display:DISPLAY",
)
