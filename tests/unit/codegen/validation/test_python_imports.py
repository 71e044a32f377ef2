"""Imports of Python files: of the project, the standard library, declared and undeclared packages."""

from __future__ import annotations

import pytest

from gencode.codegen.validation.findings import Rule
from tests.unit.codegen.validation.projects import found, one

DECLARING = {
    "requirements.txt": "Flask>=3 # web\n-r other.txt\ngit+https://example.org/x/thing.git\n",
    "requirements/dev.txt": "flask\n",
    "setup.py": 'setup(install_requires=["flask[async]>=3", "other"])\n',
    "setup.cfg": "[options]\ninstall_requires =\n    flask>=3\n",
    "Pipfile": '[packages]\nflask = "*"\n',
    "environment.yml": "dependencies:\n  - python=3.11\n  - flask\n",
    "pyproject.toml": '[project]\nname = "x"\ndependencies = ["flask>=3"]\n',
    "a/pyproject.toml": '[project]\nname = "x"\n[project.optional-dependencies]\nweb = ["flask"]\n',
    "b/pyproject.toml": '[project]\nname = "x"\n[dependency-groups]\nweb = ["flask"]\n',
    "c/pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "^3"\n',
    "d/pyproject.toml": '[tool.poetry.group.web.dependencies]\nflask = "^3"\n',
    "e/pyproject.toml": '[tool.hatch.envs.default]\ndependencies = ["flask"]\n',
    "Dockerfile": "FROM python\nRUN pip install --no-cache-dir 'flask>=3'\n",
    "tool.py": '# /// script\n# dependencies = ["flask"]\n# ///\n',
}
OTHER_NAMES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "yaml": "PyYAML",
    "sklearn": "scikit_learn",
    "bs4": "beautifulsoup4",
    "dotenv": "python-dotenv",
    "jwt": "PyJWT",
    "dateutil": "python-dateutil",
    "attr": "attrs",
    "google.cloud.storage": "google-cloud-storage",
    "jose": "python-jose[cryptography]",
    "rest_framework": "djangorestframework",
    "corsheaders": "django-cors-headers",
    "psycopg2": "psycopg2-binary",
    "grpc_health.v1": "grpcio-health-checking",
    "werkzeug.security": "flask",
    "starlette.responses": "fastapi",
    "numpy": "pandas",
    "botocore.exceptions": "boto3",
    "jinja2": "flask-login",
}
OPTIONAL = [
    "try:\n    import rich\nexcept ImportError:\n    rich = None\n",
    "try:\n    import tomllib\nexcept ModuleNotFoundError:\n    import tomli as tomllib\n",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rich import x\n",
    "import sys\nif sys.platform == 'win32':\n    import winthing\n",
    "import contextlib\nwith contextlib.suppress(ImportError):\n    import rich\n",
]
OWN = {
    "app/__init__.py": "",
    "app/models.py": "from sqlite3 import Row\n\nclass User: ...\n\nif True:\n    LIMIT = 1\n"
    "X, (Y, *Z) = f()\n",
    "app/db/session.py": "def connect(): return 1\n",
    "src/tool/core.py": "__all__ = ['late']\n\ndef run(): return 1\n",
    "backend/server/main.py": "from server.routes import router\n",
    "backend/server/routes.py": "router = 1\n",
}
GOOD = {
    "app/views.py": "from .models import User, LIMIT, Row, X, Y, Z\nfrom . import models\n"
    "from .db import session\n",
    "app/db/more.py": "from ..models import User\nfrom .session import connect\nfrom .. import views\n",
    "main.py": "import app.db.session\nfrom app import models, db\nfrom app.models import *\n"
    "import os.path, json\n",
    "tests/test_core.py": "from tool.core import run, late\nimport pytest\n"
    "from tool import core\nimport server.main\n",
    "app/views2.py": "from .generated_pb2 import X\nfrom ._version import version\n",
}
BAD = {
    "from app.models import Account\n": Rule.MISSING_NAME,
    "from app import nothing\n": Rule.MISSING_NAME,
    "from app.db import connect\n": Rule.MISSING_NAME,
    "import app.nothing\n": Rule.UNRESOLVED,
    "from app.db.engine import x\n": Rule.UNRESOLVED,
    "def f():\n    from app.models import Account\n": Rule.MISSING_NAME,
    "import invented_package\n": Rule.UNDECLARED,
}


@pytest.mark.parametrize("manifest", DECLARING)
def test_every_kind_of_manifest_declares_packages(manifest: str) -> None:
    assert (
        found({manifest: DECLARING[manifest], "main.py": "import flask\nfrom flask.views import View\n"})
        == []
    )


def test_an_undeclared_package_is_one_finding_in_the_manifest() -> None:
    files = {
        "requirements.txt": "flask\n",
        "a.py": "import requests\n",
        "b.py": "import flask\nimport requests\n",
    }
    finding = one(files)
    assert (finding.path, finding.line, finding.rule) == ("requirements.txt", 0, Rule.UNDECLARED)
    assert "'requests'" in finding.message
    assert "a.py:1, b.py:2" in finding.message


def test_without_a_manifest_an_undeclared_package_is_a_finding_in_the_importing_file() -> None:
    assert found({"a.py": "import os\nimport flask\n"}) == [("a.py", 2, Rule.UNDECLARED)]


def test_the_nearest_manifest_is_the_one_to_repair() -> None:
    files = {
        "requirements.txt": "flask\n",
        "api/requirements.txt": "httpx\n",
        "api/app/a.py": "import redis\n",
    }
    assert found(files) == [("api/requirements.txt", 0, Rule.UNDECLARED)]


@pytest.mark.parametrize("module", OTHER_NAMES)
def test_modules_with_another_name_than_their_package_or_of_its_dependencies(module: str) -> None:
    files = {"requirements.txt": f"{OTHER_NAMES[module]}==1.0\n", "a.py": f"import {module}\n"}
    assert found(files) == []


@pytest.mark.parametrize("text", OPTIONAL)
def test_an_optional_import_is_not_checked(text: str) -> None:
    assert found({"a.py": text}) == []


@pytest.mark.parametrize("path", GOOD)
def test_valid_imports_of_the_project(path: str) -> None:
    assert found({**OWN, "app/views.py": "x = 1\n", path: GOOD[path]}) == []


@pytest.mark.parametrize("text", BAD)
def test_invalid_imports(text: str) -> None:
    line = text.rstrip().count("\n") + 1
    assert found({**OWN, "main.py": text}) == [("main.py", line, BAD[text])]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("from .nothing import x\n", Rule.UNRESOLVED),
        ("from .models import Account\n", Rule.MISSING_NAME),
        ("from . import nothing\n", Rule.MISSING_NAME),
        ("from ... import app\n", Rule.UNRESOLVED),
    ],
)
def test_invalid_relative_imports(text: str, rule: Rule) -> None:
    assert found({**OWN, "app/views.py": text}) == [("app/views.py", 1, rule)]


@pytest.mark.parametrize(
    "text",
    [
        "from other import *\n",
        "def __getattr__(name): return 1\n",
        "globals()['Account'] = 1\n",
        "def f[T](x: T): return x\n",
        "def broken(:\n",
    ],
)
def test_a_module_with_unknown_exports_may_define_anything(text: str) -> None:
    files = {"other.py": "", "models.py": text, "main.py": "from models import Account\n"}
    assert Rule.MISSING_NAME not in {rule for _, _, rule in found(files)}


def test_folders_with_the_name_of_a_package_are_distinguished_from_it() -> None:
    files = {
        "requirements.txt": "redis\nPyJWT\n",
        "app/__init__.py": "",
        "app/adapters/redis.py": "from redis import Redis\n",
        "app/adapters/jwt/__init__.py": "",
        "app/tokens.py": "from jwt import encode\nimport logging\n",
        "app/logging.py": "import logging\nlogging.getLogger\n",
    }
    assert found(files) == []


def test_a_package_of_the_project_with_a_part_of_the_name_of_a_declared_one() -> None:
    files = {
        "requirements.txt": "fastapi\n",
        "api/__init__.py": "",
        "main.py": "from api.routes import router\n",
    }
    assert found(files) == [("main.py", 1, Rule.UNRESOLVED)]


def test_a_manifest_that_computes_its_list_may_declare_anything() -> None:
    assert found({"setup.py": "setup(install_requires=open('x').read())\n", "a.py": "import x\n"}) == []
    dynamic = '[project]\nname = "x"\ndynamic = ["dependencies"]\n'
    assert found({"pyproject.toml": dynamic, "a.py": "import x\n"}) == []


def test_a_lambda_has_the_libraries_of_its_runtime() -> None:
    assert found({"lambda/handler.py": "import boto3\n", "requirements.txt": "requests\n"}) == []


def test_a_module_of_a_package_may_have_the_name_of_the_library_that_it_adapts() -> None:
    files = {
        "app/__init__.py": "",
        "app/backends/__init__.py": "",
        "app/backends/anyio.py": "import anyio.abc\nfrom anyio import Event\n\nprint(anyio.abc, Event)\n",
    }
    assert not [rule for _, _, rule in found(files) if rule is not Rule.EMPTY]
