"""The commands and options that the kind `generate` adds to the command line."""

from __future__ import annotations

from gencode.cli.kind_commands import Command, KindCommands

_PACKAGE = "gencode.pipelines.generate.commands"

GENERATE_COMMANDS = KindCommands(
    kind="generate",
    commands={
        "generate": Command(help="submit a prompt to a running service", module=f"{_PACKAGE}.generate"),
        "download": Command(
            help="fetch the files of a task, also of one that failed", module=f"{_PACKAGE}.download"
        ),
        "estimate": Command(
            help="what a prompt would probably cost; no model is asked", module=f"{_PACKAGE}.estimate"
        ),
        "replay": Command(
            help="make a bundle's commit again, without model or service", module=f"{_PACKAGE}.replay"
        ),
    },
    extensions={"show": f"{_PACKAGE}.show_options", "retry": f"{_PACKAGE}.retry_options"},
    display=f"{_PACKAGE}.display:DISPLAY",
    reviewer=f"{_PACKAGE}.plan_review:REVIEWER",
)
