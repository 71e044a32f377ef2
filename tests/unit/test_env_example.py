"""`.env.example` and docs/configuration.md say what Settings says, and docs/permissions.md what the table of
permissions says. `make documents` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from gencode.settings import Settings, load
from tests.unit.permissions_page import permission_table

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
TABLES = ROOT / "docs" / "configuration.md"
PERMISSIONS = ROOT / "docs" / "permissions.md"
MARKS = ("<!-- settings: written by make documents -->\n", "<!-- end of settings -->")
PERMISSION_MARKS = ("<!-- permissions: written by make documents -->\n", "<!-- end of permissions -->")

SECTIONS = {
    "server_host": "The service",
    "workspace": "The workspace",
    "webhook_secret": "Callbacks",
    "github_token": "Git hosts",
    "deepseek_api_key": "Models",
    "max_concurrent_tasks": "Tasks",
    "outbound_proxy": "Outbound requests",
    "data_dir": "Data, logs, shutdown",
}
"""Each section by the setting that begins it, in the order of the documents."""

UNSET = {"default_model": "unset: the first model that has a key"}
"""Settings whose mere presence has a meaning: shown, but not set."""


def _fields() -> dict[str, FieldInfo]:
    """In the order of the sections: Settings has the fields of its base class first."""
    sections: dict[str, dict[str, FieldInfo]] = {name: {} for name in SECTIONS}
    current = ""
    for name, field in Settings.model_fields.items():
        current = name if name in SECTIONS else current
        sections[current][name] = field
    return {name: field for fields in sections.values() for name, field in fields.items()}


def env_example() -> str:
    head = (
        "# Settings of gencode with their defaults: copy to .env and change what you need.\n"
        "# Every secret NAME can also be given as NAME_FILE, the path of a file that holds it.\n"
    )
    blocks = [head]
    for name, field in _fields().items():
        if name in SECTIONS:
            blocks.append(f"\n# --- {SECTIONS[name]} ---\n")
        note = f" ({UNSET[name]})" if name in UNSET else ""
        line = f"{'# ' if name in UNSET else ''}{name.upper()}={_quoted(_default(field))}"
        blocks.append(f"\n# {field.description}{note}\n{line}\n")
    return "".join(blocks)


def configuration() -> str:
    """The tables of docs/configuration.md."""
    blocks = []
    for name, field in _fields().items():
        if name in SECTIONS:
            blocks.append(f"\n### {SECTIONS[name]}\n\n| Setting | Default | Meaning |\n|---|---|---|\n")
        secret = " (secret)" if _is_secret(field) else ""
        meaning = str(field.description).replace("|", "\\|").replace("<", "&lt;")
        default = f"`{_default(field)}`" if _default(field) else "none"
        blocks.append(f"| `{name.upper()}`{secret} | {default} | {meaning} |\n")
    return "".join(blocks) + "\n"


def test_the_example_names_every_setting_with_its_description_and_default() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == env_example(), "run: make documents"


def test_the_documentation_lists_every_setting() -> None:
    assert _parts(TABLES.read_text(encoding="utf-8"), MARKS)[1] == configuration(), "run: make documents"


def test_the_page_of_permissions_lists_every_operation_and_who_may_call_it() -> None:
    found = _parts(PERMISSIONS.read_text(encoding="utf-8"), PERMISSION_MARKS)[1]
    assert found == permission_table(), "run: make documents"


def test_the_sections_begin_with_settings_that_exist() -> None:
    assert set(SECTIONS) | set(UNSET) <= set(Settings.model_fields)


@pytest.fixture
def only_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example as its .env, and none of our settings in the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return Path(".env")


def test_the_example_copied_as_it_is_changes_nothing(only_the_example: Path) -> None:
    plain = load()
    only_the_example.write_bytes(EXAMPLE.read_bytes())
    assert load() == plain
    assert "default_model" not in load().model_fields_set


def test_every_line_of_the_example_can_be_set(only_the_example: Path) -> None:
    """Also the lines that are only shown: without their "# " they parse, and mean the default."""
    plain = load()
    lines = [re.sub(r"^# (?=[A-Z_]+=)", "", line) for line in env_example().splitlines()]
    only_the_example.write_text("\n".join(lines), encoding="utf-8")
    assert load().model_dump() == plain.model_dump()
    set_lines = {line.partition("=")[0].lower() for line in lines if re.match("[A-Z_]+=", line)}
    assert set_lines == set(Settings.model_fields)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, SecretStr) or value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr


def _quoted(value: str) -> str:
    """As shells, python-dotenv, systemd and Compose all read it."""
    return f'"{value}"' if re.search(r"[\s<>]", value) else value


def _parts(text: str, marks: tuple[str, str]) -> tuple[str, str, str]:
    """What stands before the generated tables, the tables, and what follows them."""
    head, begin, rest = text.partition(marks[0])
    tables, end, tail = rest.partition(marks[1])
    return head + begin, tables, end + tail


def _write_documents() -> None:
    EXAMPLE.write_text(env_example(), encoding="utf-8")
    _replace(TABLES, MARKS, configuration())
    _replace(PERMISSIONS, PERMISSION_MARKS, permission_table())


def _replace(page: Path, marks: tuple[str, str], tables: str) -> None:
    head, _, tail = _parts(page.read_text(encoding="utf-8"), marks)
    page.write_text(head + tables + tail, encoding="utf-8")


if __name__ == "__main__":
    _write_documents()
