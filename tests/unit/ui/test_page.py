"""The page's files: whole, cached with care, and nothing in them from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gencode.bootstrap.app import create_app
from gencode.domain.errors import GencodeError, StartError
from gencode.embedded.server import address, listen, serve
from tests.servers.error_modules import import_all_errors
from tests.servers.service import ROOT, running_app, settings
from tests.unit.http.test_security_middleware import client

ASSETS = ROOT / "gencode/ui/assets"
OWN = [path for path in ASSETS.rglob("*") if path.is_file() and "vendor" not in path.parts]
SCRIPTS = [path for path in OWN if path.suffix == ".js"]
ELSEWHERE = {"BAD_BUNDLE", "BAD_BACKUP"}
"""Codes of commands: no request and no task has them."""
ONE_LANGUAGE = ("failures",)
"""Folders of texts that say in other languages what the service says in English."""
TEXTS = {
    name: "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ASSETS / "js/texts").rglob(f"{name}.js"), key=lambda path: len(path.parts))
        if path.parent.name not in ONE_LANGUAGE
    )
    for name in ("en", "zh")
}


def page_name(path: Path) -> str:
    return f"/page/{path.relative_to(ASSETS).as_posix()}"


async def test_the_page_may_load_and_ask_this_service_only(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        page = await http.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_each_file_is_kept_by_browsers_and_asked_for_again(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        for path in (p for p in ASSETS.rglob("*") if p.is_file()):
            name = "/" if path.name == "index.html" else page_name(path)
            answer = await http.get(name)
            assert answer.content == path.read_bytes()
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["x-content-type-options"] == "nosniff"
            tag = answer.headers["etag"]
            for known in (tag, f'"other", W/{tag}'):
                again = await http.get(name, headers={"If-None-Match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert (await http.get(name, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/page", 404),
        ("GET", "/page/", 404),
        ("GET", "/page/js", 404),
        ("GET", "/page/index.html", 404),
        ("GET", "/page/../page.py", 404),
        ("GET", "/page/%2e%2e/page.py", 404),
        ("GET", "/page//etc/passwd", 404),
        ("POST", "/page/js/main.js", 405),
    ],
)
async def test_nothing_else_is_there(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with running_app(settings(tmp_path)) as app, client(app.url) as http:
        url = httpx.URL(app.url).copy_with(raw_path=path.encode())
        answer = await http.request(method, url)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_below_a_prefix_all_that_it_names_is_there(tmp_path: Path) -> None:
    inner = create_app(settings(tmp_path))
    outer = Starlette(routes=[Mount("/tools/gencode", inner)])
    sock = listen()
    async with inner.router.lifespan_context(inner), serve(outer, sock), client(address(sock)) as http:
        page = await http.get("/tools/gencode/")
        names = re.findall(r'(?:src|href)="(page/[^"]+)"', page.text)
        assert len(names) > 5
        for name in names:
            assert (await http.get(f"/tools/gencode/{name}")).status_code == 200


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_addresses_are_relative_and_nothing_parses_html(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://[a-z]", text)
    assert not re.search(r"""(src|href)="/|fetch\(["'`]/""", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|DOMParser", text)
    assert path.suffix != ".html" or not re.search(r"<script>|<style|\son\w+=|\sstyle=", text)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_imports_is_shipped(path: Path) -> None:
    for name in re.findall(r"^import [^;]*?\"(\S+)\";", path.read_text(encoding="utf-8"), re.MULTILINE):
        assert (path.parent / name).resolve().is_file(), name


def test_what_is_not_ours_has_its_licence_beside_it() -> None:
    assert "BSD 3-Clause License" in (ASSETS / "vendor/highlight/LICENSE").read_text(encoding="utf-8")


def test_every_language_has_every_text() -> None:
    keys = {name: re.findall(r"^ {2,4}(\w+):", text, re.MULTILINE) for name, text in TEXTS.items()}
    assert [key for key in keys["en"] if key not in ("failures", "rules")] == keys["zh"]
    used = {
        key for path in SCRIPTS for key in re.findall(r"\bt\(\"(\w+)\"", path.read_text(encoding="utf-8"))
    }
    assert used <= set(keys["en"])


def test_no_text_is_left_over() -> None:
    top = re.findall(r"^  (\w+):", TEXTS["en"], re.MULTILINE)
    scripts = [path.read_text(encoding="utf-8") for path in SCRIPTS if "texts" not in path.parts]
    assert [key for key in top if not any(f'"{key}"' in script for script in scripts)] == []


@pytest.mark.parametrize("language", TEXTS)
def test_the_page_says_what_to_do_about_every_error(language: str) -> None:
    """A new error code needs advice in both files of gencode/ui/assets/js/texts."""
    import_all_errors()
    explained = re.findall(r"^    ([A-Z][A-Z_]+):", TEXTS[language].split("advice: {")[1], re.MULTILINE)
    assert sorted(explained) == sorted(_codes(GencodeError) - ELSEWHERE - _codes(StartError))


def _codes(error: type[GencodeError]) -> set[str]:
    """Of the classes in the package: tests define others."""
    own = {error.code} if error.__module__.startswith("gencode.") else set()
    return own.union(*(_codes(child) for child in error.__subclasses__()))
