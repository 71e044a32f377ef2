"""The campaign over folders of files tells what happened to each."""

from pathlib import Path

import pytest

from tests.campaigns.imports import main


def test_files_are_imported_or_refused_with_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jdl").write_text("entity Shop { name String }")
    (tmp_path / "b.dbml").write_text("Table a {")
    (tmp_path / "c.txt").write_text("x")
    assert main([str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "a.jdl: 1 data models, 0 notes" in shown
    assert "b.dbml: line 1, column 9" in shown
    assert "     1 jdl imported" in shown
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty"), "--quiet"]) == 1
