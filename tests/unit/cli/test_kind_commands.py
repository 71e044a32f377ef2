from __future__ import annotations

import pytest

from gencode.bootstrap.command_registry import REGISTRY
from gencode.cli.display.kind_display import KindDisplay
from gencode.cli.kind_commands import TASK_COMMANDS, Command, KindCommands, registry_of
from gencode.cli.main import main
from gencode.pipelines.generate.commands.display import DISPLAY
from gencode.pipelines.generate.commands.plan_review import REVIEWER

NOTES = KindCommands(kind="notes", commands={"note": Command(help="take a note", module="no.such.module")})


def test_a_kind_brings_its_own_commands(capsys: pytest.CaptureFixture[str]) -> None:
    registry = registry_of(TASK_COMMANDS, NOTES)
    with pytest.raises(SystemExit):
        main(["--help"], registry)
    shown = capsys.readouterr().out
    assert "take a note" in shown
    assert "submit a prompt" not in shown


def test_a_name_that_is_registered_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="registered twice: note"):
        registry_of(NOTES, NOTES)


def test_what_a_kind_registers_is_found_by_its_name() -> None:
    assert REGISTRY.display("generate") is DISPLAY
    assert REGISTRY.reviewer("generate") is REVIEWER
    assert len(list(REGISTRY.extensions("show"))) == 1


def test_an_unknown_kind_has_neither_display_nor_reviewer() -> None:
    assert REGISTRY.display("unknown") is REGISTRY.reviewer("unknown") is None
    assert registry_of(NOTES).display("notes") is None
    assert isinstance(KindDisplay(), KindDisplay)
