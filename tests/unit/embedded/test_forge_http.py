"""The forge over HTTP: REST API, access control and web pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio
import httpx
from dulwich.objects import Blob, Commit, Tree
from dulwich.refs import Ref

from gencode.embedded.forge.app import forge_app
from gencode.embedded.forge.repositories import Repositories, Repository, open_repository
from gencode.embedded.server import address, listen, serve

TOKEN = "the-token"
API = "/api/v3"


@dataclass(frozen=True, kw_only=True)
class Forge:
    url: str
    root: Path
    client: httpx.AsyncClient

    async def create(self, name: str, path: str = "/user/repos", **fields: Any) -> httpx.Response:
        return await self.client.post(API + path, json={"name": name, **fields}, headers=bearer(TOKEN))

    def repositories(self) -> list[Repository]:
        """All repositories on disk."""
        return Repositories(self.root).newest(10)


@asynccontextmanager
async def running_forge(tmp_path: Path) -> AsyncIterator[Forge]:
    sock = listen()
    url = address(sock)
    root = tmp_path / "forge"
    async with (
        serve(forge_app(root, url, TOKEN), sock),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client,
    ):
        yield Forge(url=url, root=root, client=client)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def commit_files(local: Forge, name: str, files: dict[bytes, bytes], branch: bytes = b"main") -> str:
    """Commit top-level files to a repository of the forge, without a check of their names."""
    tree = Tree()
    blobs = [Blob.from_string(data) for data in files.values()]
    for path, blob in zip(files, blobs, strict=True):
        tree.add(path, 0o100644, blob.id)
    commit = Commit()
    commit.tree = tree.id
    commit.author = commit.committer = b"A <a@example.org>"
    commit.author_time = commit.commit_time = 1_800_000_000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"Files\n"
    found = next(found for found in local.repositories() if found.info.name == name)
    with open_repository(found) as repo:
        for item in (*blobs, tree, commit):
            repo.object_store.add_object(item)
        repo.refs[Ref(b"refs/heads/" + branch)] = commit.id
    return commit.id.decode()


# --- the REST API -----------------------------------------------------------------------------------


async def test_a_created_repository_has_githubs_shape(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        created = await local.create("my app", description="An app [mark]", private=True)
        found = await local.client.get(f"{API}/repos/local/my-app")
    assert created.status_code == 201
    body = created.json()
    assert found.json() == body
    assert body["full_name"] == "local/my-app"
    assert body["owner"]["login"] == "local"
    assert body["owner"]["type"] == "User"
    assert body["html_url"] == f"{local.url}/local/my-app"
    assert body["clone_url"] == f"{local.url}/local/my-app.git"
    assert (body["private"], body["description"], body["default_branch"]) == (True, "An app [mark]", "main")
    assert body["size"] == 0
    assert created.headers["location"] == body["url"] == f"{local.url}{API}/repos/local/my-app"
    assert {"id", "node_id", "created_at", "updated_at", "pushed_at"} <= body.keys()


async def test_the_user_of_the_token(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        user = await local.client.get(f"{API}/user", headers={"Authorization": f"token {TOKEN}"})
    assert (user.json()["login"], user.json()["type"]) == ("local", "User")


async def test_an_organisation_is_created_with_its_first_repository(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        created = await local.create("demo", "/orgs/Acme/repos")
        refused = [
            (await local.create("demo", f"/orgs/{org}/repos")).status_code for org in ("local", "a--b", "api")
        ]
    assert (created.status_code, created.json()["full_name"]) == (201, "Acme/demo")
    assert created.json()["owner"]["type"] == "Organization"
    assert refused == [404, 404, 404]


async def test_a_name_that_exists_in_another_case_is_a_collision(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo")
        again = await local.create("DEMO")
    assert again.status_code == 422
    assert again.json() == {
        "message": "Repository creation failed.",
        "errors": [
            {
                "resource": "Repository",
                "code": "custom",
                "field": "name",
                "message": "name already exists on this account",
            }
        ],
    }


async def test_of_twenty_concurrent_creations_one_succeeds(tmp_path: Path) -> None:
    statuses: list[int] = []
    async with running_forge(tmp_path) as local:

        async def create() -> None:
            statuses.append((await local.create("demo")).status_code)

        async with anyio.create_task_group() as tg:
            for _ in range(20):
                tg.start_soon(create)
    assert sorted(statuses) == [201] + [422] * 19


INVALID_BODIES = [
    (b"{", 400, "Problems parsing JSON"),
    (b"\xff", 400, "Problems parsing JSON"),
    (b"[" * 60_000, 400, "Problems parsing JSON"),
    (b"[]", 400, "Body should be a JSON object"),
    (b"{}", 422, "wasn't supplied"),
    (b'{"name": 5}', 422, "properties/name"),
    (b'{"name": "a", "private": "yes"}', 422, "properties/private"),
    (b'{"name": "a", "description": 5}', 422, "properties/description"),
    (b'{"name": ""}', 422, "too short"),
    (b'{"name": ".."}', 422, "reserved"),
    (b'{"name": "%s"}' % (b"x" * 101), 422, "too long"),
    (b'{"name": "a", "description": "%s"}' % (b"x" * 351), 422, "350"),
    (b'{"name": "a", "description": "a\\u0000b"}', 422, "control characters"),
    (b'{"name": "a", "description": "\\ud800"}', 422, "control characters"),
    (b'{"name": "a", "auto_init": true}', 422, "empty repositories"),
    (b'{"name": "%s"}' % (b"x" * 70_000), 413, "Too Large"),
]


async def test_an_invalid_body_is_rejected_with_githubs_errors(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        for body, status, text in INVALID_BODIES:
            response = await local.client.post(f"{API}/user/repos", content=body, headers=bearer(TOKEN))
            assert (body[:40], response.status_code) == (body[:40], status)
            assert text in response.text
        assert local.repositories() == []


async def test_writes_require_the_token(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        missing = await local.client.post(f"{API}/user/repos", json={"name": "demo"})
        wrong = await local.client.post(f"{API}/user/repos", json={"name": "demo"}, headers=bearer("other"))
        user = await local.client.get(f"{API}/user")
        read = await local.client.get(f"{API}/repos/local/demo", headers=bearer("other"))
        listed = local.repositories()
    assert (missing.status_code, missing.json()) == (401, {"message": "Requires authentication"})
    assert (wrong.status_code, wrong.json()) == (401, {"message": "Bad credentials"})
    assert (user.status_code, read.status_code, listed) == (401, 401, [])


async def test_a_branch_is_reported_as_github_does(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo")
        ref = f"{API}/repos/local/demo/git/ref/heads"
        empty = await local.client.get(f"{ref}/main")
        sha = commit_files(local, "demo", {b"a.py": b"print()\n"})
        commit_files(local, "demo", {b"a.py": b"print()\n"}, branch=b"feature/x")
        main = await local.client.get(f"{ref}/main")
        nested = await local.client.get(f"{ref}/feature/x")
        encoded = await local.client.get(f"{API}/repos/local/demo/git/ref/heads%2Ffeature%2fx")
        branch = await local.client.get(f"{API}/repos/local/demo/branches/main")
        missing = [
            (await local.client.get(f"{ref}/{name}")).status_code
            for name in ("other", "feature", "a..b", "main.lock", "x" * 5000, "%01", "main/deeper")
        ]
    assert (empty.status_code, empty.json()) == (409, {"message": "Git Repository is empty."})
    assert main.json()["ref"] == "refs/heads/main"
    assert (encoded.status_code, encoded.json()) == (200, nested.json())
    assert main.json()["object"]["sha"] == nested.json()["object"]["sha"] == sha
    assert branch.json()["commit"]["sha"] == sha
    assert missing == [404] * 7


async def test_unknown_api_paths_are_404(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo")
        for path in ("repos/local/none", "repos/..%2e/demo", "nothing", "repos/local/demo/hooks", ""):
            response = await local.client.get(f"{API}/{path}")
            assert (path, response.status_code, response.json()) == (path, 404, {"message": "Not Found"})


# --- access -----------------------------------------------------------------------------------------


async def raw_status(url: str, target: str, *headers: str) -> bytes:
    """The status line of the response to a request target that is sent unchanged."""
    stream = await anyio.connect_tcp("127.0.0.1", httpx.URL(url).port or 0)
    async with stream:
        lines = [f"GET {target} HTTP/1.1", "Connection: close", *headers, "", ""]
        await stream.send("\r\n".join(lines).encode())
        return (await stream.receive()).partition(b"\r\n")[0]


async def test_loopback_host_headers_are_accepted(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        for host in ("localhost", "127.0.0.1:8081", "[::1]:80", "LOCALHOST:1"):
            assert b" 200 " in await raw_status(local.url, "/", f"Host: {host}")


async def test_other_host_headers_are_rejected(tmp_path: Path) -> None:
    names = [
        "evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "[::1",
        "",
        "127.0.0.1.evil.example",
        "evil.example, localhost",
        "localhost:80, evil.example",
        "localhost:80/, evil.example",
    ]
    async with running_forge(tmp_path) as local:
        for headers in (*([f"Host: {name}"] for name in names), ["Host: localhost", "Host: evil.example"]):
            status = await raw_status(local.url, "/", *headers)
            assert b" 421 " in status or b" 400 " in status, headers


HOSTILE_TARGETS = [
    "/local/../../etc/passwd",
    "/local/demo/../../../x",
    "/local%2fdemo",
    "/local/demo%2f..%2f..%2fx",
    "/local/demo%00",
    "/api/v3/repos/local%2fdemo",
    "/api/v3/repos/local/demo/git/ref%2fheads/main",
    "/api/v3/repos/local/demo/git/ref/heads%2f..%5cmain",
    "/api/v3/repos/local/demo/git/ref/heads%2f..%2f..%2fconfig",
    "/local/demo%0a",
    "/..%5c..%5cx/demo",
    "/../demo",
    "/.scratch/x",
    "/local/demo/HEAD",
    "/local/demo.git/config",
    "/local/demo.git/gencode.json",
    "/local/demo.git/objects/info/packs",
    "/local/demo/blob/main/../../../etc/passwd",
    "/local/%2e%2e/info/refs?service=git-upload-pack",
    "/%2e%2e/demo/info/refs?service=git-upload-pack",
    "/local/link/info/refs?service=git-upload-pack",
]


async def test_hostile_paths_are_404(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo")
        commit_files(local, "demo", {b"a": b"a"})
        (local.root / "local" / "link.git").symlink_to(local.root / "local" / "demo.git")
        for target in HOSTILE_TARGETS:
            assert b" 404 " in await raw_status(local.url, target, "Host: localhost"), target


async def test_every_answer_carries_the_security_headers(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        for path in ("/", "/none/none", f"{API}/user", "/a/b/info/refs"):
            headers = (await local.client.get(path)).headers
            assert headers["content-security-policy"].startswith(
                "default-src 'none'; style-src 'unsafe-inline'"
            )
            assert headers["x-content-type-options"] == "nosniff"


# --- the pages --------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The tags, links and text that a browser would parse from a page."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE_FILES = {
    b"README.md": b"# <script>alert(1)</script>\n</pre><img src=x onerror=alert(2)>",
    b"<img src=x onerror=alert(3)>": b"<!-- & -->",
    b"'><script>alert(4)<": b"quote",
    b'"onmouseover="alert(5)': b"double",
    b"a b?c#d%2e%.txt": b"odd",
    "größe\u202e.py".encode(): b"bidi",
    b"\xff\xfe": b"not UTF-8",
    b"binary": b"\0\1",
    b"empty": b"",
}


OUR_TAGS = frozenset(
    {"html", "head", "meta", "title", "style", "body", "p", "a", "h1", "h2", "bdi", "pre"}
    | {"table", "tr", "td", "span", "br"}
)


async def test_hostile_names_and_contents_are_escaped(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo", description="<script>alert(0)</script>")
        commit_files(local, "demo", HOSTILE_FILES)
        page = Page(await local.client.get("/local/demo"))
        index = Page(await local.client.get("/"))
        file = Page(await local.client.get("/local/demo/blob/main/README.md"))
    assert page.tags | index.tags | file.tags <= OUR_TAGS
    assert all(link.startswith("/") and not link.startswith("//") for link in page.links + index.links)
    for text in (
        "<script>alert(0)</script>",
        "</pre><img src=x onerror=alert(2)>",
        "<img src=x onerror=alert(3)>",
    ):
        assert text in page.text
    assert "<script>alert(0)</script>" in index.text
    assert HOSTILE_FILES[b"README.md"].decode() in file.text


async def test_every_file_link_opens_its_file(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo")
        readable = {path: data for path, data in HOSTILE_FILES.items() if path != b"\xff\xfe"}
        commit_files(local, "demo", readable)
        links = [link for link in Page(await local.client.get("/local/demo")).links if "/blob/" in link]
        shown = [Page(await local.client.get(link)).text for link in links]
    assert len(shown) == len(readable)
    for path, data in readable.items():
        wanted = "binary file" if b"\0" in data else data.decode()
        assert any(path.decode() in text and wanted in text for text in shown), path


async def test_the_page_shows_the_clone_command_and_the_files(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo", description="It counts.")
        empty = Page(await local.client.get("/local/demo"))
        commit_files(local, "demo", {b"a.py": b"x" * 2048, b"b.py": b"12345"})
        full = Page(await local.client.get("/LOCAL/Demo.git"))
    assert f"git clone {local.url}/local/demo" in empty.text
    assert "Push the first commit" in empty.text
    assert "It counts." in full.text
    assert "a.py2.0 KiBb.py5 B" in full.text


async def test_unknown_pages_are_404(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as local:
        await local.create("demo")
        commit_files(local, "demo", {b"a": b"a"})
        demo = "/local/demo/blob"
        for path in (
            "/local/none",
            f"{demo}/main/none",
            f"{demo}/other/a",
            f"{demo}/main",
            "/local",
            "/x/y/z",
        ):
            response = await local.client.get(path)
            assert (path, response.status_code) == (path, 404)
            assert "Not found" in response.text
