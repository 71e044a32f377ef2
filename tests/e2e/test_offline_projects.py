"""The offline model's projects as users run them: their tests pass, their programs start and respond.

Each project is written to its own folder and run only with the commands of its README.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gencode.codegen.plan import Plan
from gencode.embedded.offline.template_project import TemplateProject

pytestmark = pytest.mark.campaign
ADDRESS = re.compile(r"http://127\.0\.0\.1:[1-9]\d*")
PYTHON = sys.executable

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js 20 or newer")
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go 1.19 or newer")


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}: pip install '.[test]'")


def written(folder: Path, request: str) -> Path:
    """Write the project for the request to the folder."""
    project = TemplateProject.from_request(request)
    for file in Plan.model_validate_json(project.plan()).files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(project.file(file.path), encoding="utf-8")
    return folder


def run(folder: Path, *command: str, fails: bool = False) -> str:
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, output
    return output


def run_pytest(folder: Path) -> None:
    """Warnings are errors. Our own plugins are not loaded, since the project does not declare them."""
    output = run(folder, PYTHON, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider")
    assert re.search(r"[1-9]\d* passed", output), output


@contextmanager
def started(folder: Path, *command: str, **settings: str) -> Iterator[str]:
    """The URL that a server prints when it listens; terminates it when the block ends."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield _printed_address(process.stdout)
    finally:
        process.terminate()
        process.communicate()


def _printed_address(output: Iterator[str]) -> str:
    seen = ""
    for line in output:
        seen += line
        if match := ADDRESS.search(line):
            return match[0]
    raise AssertionError(f"ended without listening:\n{seen}")


def _environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without the variables that configure our own tools."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))
    }
    own = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUNBUFFERED": "1", "GOPROXY": "off", "GOFLAGS": ""}
    return inherited | own | dict(more or {})


# --- Python ------------------------------------------------------------------------------------------


def test_the_command_line_tool(tmp_path: Path) -> None:
    folder = written(tmp_path, "写一个命令行工具，批量重命名文件")
    assert "OK" in run(folder, PYTHON, "-W", "error", "-m", "unittest", "discover", "tests")
    run_pytest(folder)
    assert run(folder, PYTHON, "-m", "notes", "add", "给花浇水", "--tag", "家") == "added 1\n"
    assert run(folder, PYTHON, "-m", "notes", "find", "浇水") == "   1  给花浇水 #家\n"
    assert "no note 7" in run(folder, PYTHON, "-m", "notes", "remove", "7", fails=True)


@needs("flask")
def test_the_flask_site(tmp_path: Path) -> None:
    folder = written(tmp_path, "A small Flask site for recipes")
    run_pytest(folder)
    with (
        started(folder, PYTHON, "-m", "flask", "--app", "app", "run", "--port", "0") as url,
        httpx.Client(base_url=url, follow_redirects=True) as browser,
    ):
        page = send_form(browser, "/", "/notes", text="Pancakes & <jam>")
        assert "<h1>Small Flask site for recipes</h1>" in page
        assert "Pancakes &amp; &lt;jam&gt;" in page
        assert browser.get("/static/style.css").status_code == 200


@needs("flask")
def test_the_flask_site_with_accounts(tmp_path: Path) -> None:
    folder = written(tmp_path, "创建一个Python Flask Web应用，包含用户认证功能")
    run_pytest(folder)
    with (
        started(folder, PYTHON, "-m", "flask", "--app", "app", "run", "--port", "0") as url,
        httpx.Client(base_url=url, follow_redirects=True) as browser,
    ):
        account = {"name": "ada", "password": "correct horse battery"}
        assert "<strong>ada</strong>" in send_form(browser, "/register", "/register", **account)
        assert "You are logged out." in send_form(browser, "/account", "/logout")
        assert "<strong>ada</strong>" in send_form(browser, "/login", "/login", **account)
        assert "Python Flask Web应用" in browser.get("/account").text


def send_form(browser: httpx.Client, page: str, action: str, **fields: str) -> str:
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get(page).text)
    assert token is not None
    return browser.post(action, data={"csrf": token[1], **fields}).raise_for_status().text


@needs("fastapi", "httpx", "uvicorn")
def test_the_fastapi_service(tmp_path: Path) -> None:
    folder = written(tmp_path, "Build a REST API with FastAPI for managing books")
    run_pytest(folder)
    command = (PYTHON, "-m", "uvicorn", "app.main:create_app", "--factory", "--port", "0")
    with started(folder, *command) as url:
        assert httpx.get(f"{url}/openapi.json").json()["info"]["title"].startswith("REST API with FastAPI")
        check_notes(url)


def check_notes(url: str) -> None:
    """Add, read and delete a note, which each of the services can do."""
    with httpx.Client(base_url=url) as client:
        assert client.get("/health").json() == {"status": "ok"}
        added = client.post("/notes", json={"text": "water the plants"})
        assert added.status_code == 201
        path = added.headers["Location"]
        assert client.get(path).json()["text"] == "water the plants"
        assert client.delete(path).status_code == 204
        assert client.get("/notes").json() == []


# --- JavaScript --------------------------------------------------------------------------------------


@needs_node
def test_the_static_page(tmp_path: Path) -> None:
    folder = written(tmp_path, "Build a landing page for my bakery")
    assert re.search(r"# pass [1-9]|ℹ pass [1-9]", run(folder, "node", "--test"))
    run(folder, "node", "--check", "js/page.js")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "<h1>Landing page for my bakery</h1>" in page
    linked = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(linked) == 3
    assert all((folder / name).is_file() for name in linked)


@needs_node
def test_the_express_service_s_store_needs_no_package(tmp_path: Path) -> None:
    folder = written(tmp_path, "Create an Express server for a chat")
    assert re.search(r"# pass [1-9]|ℹ pass [1-9]", run(folder, "node", "--test", "test/notes.test.js"))


@needs_node
@needs_npm
@pytest.mark.timeout(600)  # the registry may be far away
def test_the_express_service(tmp_path: Path) -> None:
    folder = written(tmp_path, "Create an Express server for a chat")
    quick = ("--fetch-retries=0", "--fetch-timeout=10000")
    asked = subprocess.run(("npm", "view", "express", "version", *quick), capture_output=True, check=False)
    if asked.returncode != 0:
        pytest.skip("needs a package registry that npm can reach")
    run(folder, "npm", "install", "--no-audit", "--no-fund")
    assert re.search(r"# pass [1-9]|ℹ pass [1-9]", run(folder, "npm", "test"))
    with started(folder, "node", "src/server.js", PORT="0") as url:
        check_notes(url)


# --- Go ----------------------------------------------------------------------------------------------


@needs_go
@pytest.mark.timeout(600)  # the first build on a machine compiles the standard library
def test_the_go_service(tmp_path: Path) -> None:
    folder = written(tmp_path, "An HTTP service in Go")
    run(folder, "go", "vet", "./...")
    assert run(folder, "go", "test", "./...").count("ok  \t") == 2
    run(folder, "go", "build", "-o", "notes", ".")
    with started(folder, "./notes", ADDR="127.0.0.1:0") as url:
        check_notes(url)
