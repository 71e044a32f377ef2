"""Front ends pass their own type check, build and tests, whatever texts the blueprint has."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.rendering import Stack, render_project
from tests.unit.blueprints.generated_pages import with_generated_pages

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]
STEPS = (("vue-tsc", "--noEmit"), ("vite", "build", "--logLevel", "warn"), ("vitest", "run"))
_PLAIN = (
    "string",
    "text",
    "integer",
    "bigint",
    "float",
    "boolean",
    "date",
    "time",
    "datetime",
    "uuid",
    "json",
    "binary",
)
EVERY_TYPE = Blueprint.model_validate(
    {
        "label": "网店 </script> {{ 1 }}",
        "dataModels": [
            {
                "name": "Everything",
                "label": '客户\'s "name" `${x}`',
                "fields": [
                    {"name": f"{type_}{number}", "type": type_, "required": bool(number), **more}
                    for number in range(2)
                    for type_, more in {
                        **{name: {} for name in _PLAIN},
                        "decimal": {"precision": 9, "scale": 3, "minimum": 1.5},
                        "enum": {"enumValues": [{"name": "</b>", "label": "{{ x }}"}, {"name": "价"}]},
                    }.items()
                ]
                + [{"name": "note", "type": "string", "required": True, "default": ""}],
                "relations": [
                    {
                        "name": "parent",
                        "type": "ManyToOne",
                        "target": "Everything",
                        "inverseName": "children",
                    },
                    {"name": "others", "type": "ManyToMany", "target": "Everything"},
                ],
            },
        ],
    }
)


@pytest.fixture(scope="module")
def packages() -> Path:
    """A folder with the packages of the lock file, kept beside the tests' own."""
    files = render_project(EVERY_TYPE, Stack(frontend="vue")).files
    named = {name: files[f"frontend/{name}"] for name in ("package.json", "package-lock.json")}
    digest = hashlib.sha256("".join(named.values()).encode()).hexdigest()[:16]
    folder = Path(sys.prefix) / f"front-end-packages-{digest}"
    if not (folder / "node_modules").exists():
        if not shutil.which("npm"):
            pytest.skip("npm is not installed")
        made = folder.with_suffix(f".{os.getpid()}")
        made.mkdir()
        for name, text in named.items():
            (made / name).write_text(text, "utf-8")
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        ran = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
        if ran.returncode and "CI" not in os.environ:
            pytest.skip(f"the packages cannot be had: {ran.stderr[-300:]}")
        assert ran.returncode == 0, ran.stderr[-2000:]
        made.rename(folder)
    return folder / "node_modules"


def test_a_front_end_is_sound(packages: Path, tmp_path: Path) -> None:
    blueprint = with_generated_pages(EVERY_TYPE, 4)
    for path, text in render_project(blueprint, Stack(frontend="vue")).files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    folder = tmp_path / "frontend"
    subprocess.run(["cp", "-al", str(packages), str(folder)], check=True)
    for name, *arguments in STEPS:
        command = [str(folder / "node_modules" / ".bin" / name), *arguments]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, (name, (ran.stdout + ran.stderr)[-4000:])
