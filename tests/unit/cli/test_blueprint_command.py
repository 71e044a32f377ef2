"""`gencode blueprint` on files, without a service."""

import json
from pathlib import Path
from typing import Any

import pytest

from gencode.bootstrap.command_registry import main
from gencode.cli.kind_commands import BLUEPRINT_COMMANDS, CommandExtension, registry_of
from gencode.cli.main import main as run_command

GOOD: dict[str, Any] = {"dataModels": [{"name": "Customer", "fields": [{"name": "email", "type": "string"}]}]}
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENCODE_URL", raising=False)


def written(folder: Path, name: str, document: object) -> str:
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return str(folder / name)


def test_a_valid_blueprint_ends_with_0_also_as_the_service_gives_it(tmp_path: Path, capsys: Capture) -> None:
    for document in (GOOD, {"id": "x", "spec": GOOD}):
        assert main(["blueprint", "validate", written(tmp_path, "b.json", document)]) == 0
        assert capsys.readouterr().out == "0 errors, 0 warnings\n"


def test_errors_end_with_1_and_are_told_in_the_language(tmp_path: Path, capsys: Capture) -> None:
    bad = {"dataModels": [{"name": "Customer", "fields": [{"name": "class", "type": "string"}]}]}
    file = written(tmp_path, "b.json", bad)
    assert main(["blueprint", "validate", file, "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["element"], finding["rule"]) == ("dataModels/Customer/fields/class", "reserved-word")
    assert main(["blueprint", "validate", file, "--language", "zh"]) == 1
    assert "保留字" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{", "[1]", '{"dataModels": [{"name": 3}]}', "\ud83d", "[" * 100_000])
def test_a_file_that_is_no_blueprint_is_named(text: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "b.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert main(["blueprint", "validate", str(tmp_path / "b.json")]) == 2
    assert "b.json is not" in capsys.readouterr().err
    assert main(["blueprint", "validate", str(tmp_path / "none.json")]) == 2


def test_differences_are_told_by_id(tmp_path: Path, capsys: Capture) -> None:
    old = written(tmp_path, "old.json", GOOD)
    renamed = json.loads(json.dumps(GOOD).replace('"email", "type"', '"mail", "id": "email", "type"'))
    new = written(tmp_path, "new.json", renamed)
    assert main(["blueprint", "diff", old, new]) == 0
    assert capsys.readouterr().out == 'Customer: field "mail" was renamed from "email" to "mail"\n'
    assert main(["blueprint", "diff", old, new, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["operations"][0]["element"] == "dataModels/Customer/fields/email"
    assert shown["patch"] == [{"op": "replace", "path": "/dataModels/0/fields/0/name", "value": "mail"}]
    assert main(["blueprint", "diff", old, old]) == 0
    assert capsys.readouterr().out == "no differences\n"


def test_the_migration_of_a_difference_is_shown(tmp_path: Path, capsys: Capture) -> None:
    old = written(tmp_path, "old.json", GOOD)
    without = json.loads(json.dumps(GOOD).replace('"email", "type"', '"mail", "type"'))
    new = written(tmp_path, "new.json", without)
    assert main(["blueprint", "diff", old, new, "--migration", "postgresql"]) == 0
    shown = capsys.readouterr().out
    assert "customers: drops column email [the values of this column are lost]" in shown
    assert main(["blueprint", "diff", old, new, "--migration", "mysql", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [step["destructive"] for step in shown["migration"]].count(True) == 1
    assert 'op.drop_column("customers", "email")' in shown["revision"]
    broken = written(tmp_path, "broken.json", {"dataModels": [{"name": "class"}]})
    assert main(["blueprint", "diff", broken, new, "--migration", "mysql"]) == 2
    assert "the older blueprint has errors" in capsys.readouterr().err


def test_another_part_can_add_a_verb(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "added_verb.py").write_text(
        "def add_arguments(parser):\n"
        "    verb = parser.get_default('verbs').add_parser('greet')\n"
        "    verb.set_defaults(run=lambda args: print('hello'))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    extension = CommandExtension(command="blueprint", module="added_verb")
    assert run_command(["blueprint", "greet"], registry_of(BLUEPRINT_COMMANDS, extension)) == 0
    assert capsys.readouterr().out == "hello\n"


def test_an_import_writes_the_document_and_tells_notes(tmp_path: Path, capsys: Capture) -> None:
    source, out = tmp_path / "shop.jdl", tmp_path / "shop.json"
    source.write_text("entity Customer { email String required unique pattern(/@/) }")
    assert main(["blueprint", "import", str(source), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("note     line 1: dataModels/Customer/fields/email (pattern-not-kept): ")
    assert lines[-1] == "1 data model, 1 note"
    assert main(["blueprint", "validate", str(out)]) == 0
    assert main(["blueprint", "import", str(source), "--json", "--language", "zh"]) == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert shown["spec"]["dataModels"][0]["fields"][0]["unique"] is True
    assert "未保留" in shown["notes"][0]["message"]


@pytest.mark.parametrize(
    ("name", "text", "status", "told"),
    [
        ("a.dbml", "Table a {", 1, "a.dbml: line 1, column 9: this '{' is not closed [MALFORMED]"),
        ("a.txt", "x", 2, "add --format"),
        ("a.json", '{"openapi": "3.0.0"}', 1, "no schema of an object"),
    ],
)
def test_what_cannot_be_imported_is_told(
    name: str, text: str, status: int, told: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["blueprint", "import", str(tmp_path / name)]) == status
    assert told in capsys.readouterr().err
