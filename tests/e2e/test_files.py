"""The files of a task: available once complete, and harmless to whoever opens them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import anyio
import httpx

from tests.servers.calls import client, get, submit
from tests.servers.github import TOKEN, Fault, github_server
from tests.servers.model import call_of, http_error, model_server, plan_and_files
from tests.servers.service import App, environment, running_app, service, settings, urls_behind
from tests.servers.stream import events, raw_stream, subscribed

FILES = {"index.html": "<script>alert(1)</script>\n", "src/möglich.py": "x = 'ä'\n", "last.py": "y = 2\n"}


async def fetch(url: str, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """`path` is sent in the request line unchanged, below the task."""
    async with client(url) as http:
        return await http.send(http.build_request(method, f"{url}/api/v1/task/{path}", headers=headers))


def unzip(answer: httpx.Response) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


async def test_each_file_can_be_fetched_as_soon_as_it_is_complete(tmp_path: Path) -> None:
    last = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"last.py": last})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
    ):
        task = await submit(app.url)
        assert (await fetch(app.url, f"{task}/archive.zip")).json()["code"] == "NOT_FOUND"
        async with subscribed(app.url, task) as stream:
            for path in ("index.html", "src/möglich.py"):
                await stream.until("file", path=path)
        await model.arrival("file", "last.py")
        listed = await files_when(app.url, task, "last.py", "writing")
        assert (listed["task_id"], listed["complete"]) == (task, False)
        found = {file["path"]: (file["state"], file["bytes"]) for file in listed["files"]}
        sizes = {path: len(text.encode()) for path, text in FILES.items()}
        assert found == {path: ("whole", sizes[path]) for path in FILES} | {"last.py": ("writing", 0)}
        assert (await fetch(app.url, f"{task}/files/src/möglich.py")).text == FILES["src/möglich.py"]
        assert (await fetch(app.url, f"{task}/files/last.py")).status_code == 404
        some = await fetch(app.url, f"{task}/archive.zip")
        assert some.headers["content-disposition"] == "attachment; filename*=utf-8''hello.partial.zip"
        assert set(unzip(some)) == {"hello/index.html", "hello/src/möglich.py"}

        last.set()
        await events(app.url, task)
        listed = await get(app.url, f"/api/v1/task/{task}/files")
        assert listed["complete"]
        assert {file["state"] for file in listed["files"]} == {"committed"}
        packed = await fetch(app.url, f"{task}/archive.zip")
    assert unzip(packed) == {f"hello/{path}": text for path, text in FILES.items()}
    assert packed.headers["content-disposition"] == "attachment; filename*=utf-8''hello.zip"


async def files_when(url: str, task: str, path: str, state: str) -> dict[str, Any]:
    """The list of a task's files when one is in this state. Processes report it to each other each second."""
    while True:
        listed: dict[str, Any] = await get(url, f"/api/v1/task/{task}/files")
        if next(file["state"] for file in listed["files"] if file["path"] == path) == state:
            return listed
        await anyio.sleep(0.01)


async def test_nothing_is_lost_when_the_task_fails_and_the_service_dies(tmp_path: Path) -> None:
    async with (
        model_server(
            plan_and_files(
                FILES, replace=lambda body: http_error(402) if call_of(body)[1] == "last.py" else None
            )
        ) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github, FILES_AT_ONCE="1")) as process,
    ):
        task = await submit(process.url)
        assert (await events(process.url, task))[-1].data["code"] == "LLM_BALANCE"
        before = await fetch(process.url, f"{task}/archive.zip")
        await process.kill()
        await process.start()
        after = await fetch(process.url, f"{task}/archive.zip")
    assert set(unzip(after)) == {"hello/index.html", "hello/src/möglich.py"}
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


async def test_after_a_refused_push_the_files_can_be_fetched(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
    ):
        github.fail("receive_pack", Fault(status=403))
        task = await submit(app.url)
        assert (await events(app.url, task))[-1].data["code"] == "GIT_AUTH"
        packed = await fetch(app.url, f"{task}/archive.zip")
    assert unzip(packed) == {f"hello/{path}": text for path, text in FILES.items()}


async def finished_task(app: App) -> str:
    task = await submit(app.url)
    await events(app.url, task)
    return task


async def test_files_are_sent_so_that_browsers_show_them_as_plain_text(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        running_app(settings(tmp_path, model)) as app,
    ):
        task = await finished_task(app)
        page = await fetch(app.url, f"{task}/files/index.html")
        head = await fetch(app.url, f"{task}/files/index.html", "HEAD")
        etag = page.headers["etag"]
        same = [
            await fetch(app.url, f"{task}/files/index.html", **{"If-None-Match": known})
            for known in (etag, f'"other", W/{etag}', "*")
        ]
        other = await fetch(app.url, f"{task}/files/index.html", **{"If-None-Match": '"other"'})
        named = await fetch(app.url, f"{task}/files/src/möglich.py")
    assert page.text == FILES["index.html"]
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-security-policy"].startswith("sandbox;")
    assert page.headers["content-disposition"] == "inline; filename*=utf-8''index.html"
    assert page.headers["cache-control"] == "private, no-cache"
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "date": ""} == {**page.headers, "date": ""}
    assert [(answer.status_code, answer.content) for answer in same] == [(304, b"")] * 3
    assert other.status_code == 200
    assert named.headers["content-disposition"] == "inline; filename*=utf-8''m%C3%B6glich.py"


async def test_a_download_that_broke_off_goes_on(tmp_path: Path) -> None:
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        task = await finished_task(app)
        for path in ("files/index.html", "archive.zip"):
            whole = await fetch(app.url, f"{task}/{path}")
            etag, size = whole.headers["etag"], len(whole.content)
            assert whole.headers["accept-ranges"] == "bytes"
            rest = await fetch(app.url, f"{task}/{path}", Range="bytes=7-", **{"If-Range": etag})
            assert (rest.status_code, whole.content[:7] + rest.content) == (206, whole.content)
            assert rest.headers["content-range"] == f"bytes 7-{size - 1}/{size}"
            assert (rest.headers["etag"], rest.headers["content-type"]) == (
                etag,
                whole.headers["content-type"],
            )
            for asked, expected in parts(whole.content).items():
                answer = await fetch(app.url, f"{task}/{path}", Range=asked)
                assert (answer.status_code, answer.content) == expected, asked
            for other in ('"other"', f"W/{etag}", "Sun, 29 Nov 2026 10:00:00 GMT"):
                answer = await fetch(app.url, f"{task}/{path}", Range="bytes=7-", **{"If-Range": other})
                assert (answer.status_code, answer.content) == (200, whole.content)
            known = await fetch(app.url, f"{task}/{path}", Range="bytes=7-", **{"If-None-Match": etag})
            head = await fetch(app.url, f"{task}/{path}", "HEAD", Range="bytes=7-")
            assert (known.status_code, head.status_code) == (304, 200)
            for beyond in (f"bytes={size}-", "bytes=999999999999-", "bytes=-0"):
                refused = await fetch(app.url, f"{task}/{path}", Range=beyond)
                assert (refused.status_code, refused.json()["code"]) == (416, "RANGE_NOT_SATISFIABLE")
                assert refused.headers["content-range"] == f"bytes */{size}"


def parts(data: bytes) -> dict[str, tuple[int, bytes]]:
    """What ranges give. What cannot be meant, and several ranges, are ignored."""
    ignored = ("", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "lines=0-1", "bytes=0-1,3-4")
    return {
        "bytes=0-0": (206, data[:1]),
        "Bytes=2-5": (206, data[2:6]),
        "bytes=-3": (206, data[-3:]),
        "bytes=-999999": (206, data),
        "bytes=3-999999": (206, data[3:]),
        **dict.fromkeys((*ignored, f"bytes={'9' * 4000}-"), (200, data)),
    }


HOSTILE = [
    *("", "/", "nothing", "index.html/", "/index.html", "./index.html", "src", "INDEX.HTML"),
    *("..", "../report", "%2e%2e/%2e%2e/etc/passwd", "%252e%252e%252findex.html", "..%5cindex.html"),
    *("index.html%00", "%00", "%ff%fe", "index.html%0d%0aX-Evil:%201", "//etc/passwd", "a" * 5000),
]


async def test_other_paths_are_not_found(tmp_path: Path) -> None:
    """Sent in the request line unchanged: client libraries normalise such paths."""
    async with model_server(plan_and_files(FILES)) as model, running_app(settings(tmp_path, model)) as app:
        task = await finished_task(app)
        port = int(urls_behind(app.url)[0].rpartition(":")[2])
        for path in HOSTILE:
            stream = await raw_stream(port, f"/api/v1/task/{task}/files/{path}")
            answer = b"".join([part async for part in stream])
            await stream.aclose()
            assert answer.startswith(b"HTTP/1.1 404 "), (path, answer)
            assert b'"code":"NOT_FOUND"' in answer
            assert b"X-Evil:" not in answer.partition(b"\r\n\r\n")[0]


async def test_a_secret_of_the_service_is_never_served(tmp_path: Path) -> None:
    """It became one after the task: an answer that holds one fails its task at once."""
    files = {"bad.py": f"NAME = '{TOKEN}'\n", "good.py": "x = 1\n"}
    async with model_server(plan_and_files(files)) as model:
        async with running_app(settings(tmp_path, model)) as app:
            task = await finished_task(app)
            assert (await fetch(app.url, f"{task}/files/bad.py")).text == files["bad.py"]
        async with (
            github_server(tmp_path / "github") as github,
            running_app(settings(tmp_path, model, github)) as app,
        ):
            paths = ("files/bad.py", "archive.zip")
            answers = [await fetch(app.url, f"{task}/{path}") for path in paths]
            assert (await fetch(app.url, f"{task}/files/good.py")).text == files["good.py"]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "SECRET_FOUND")
        assert "bad.py" in answer.json()["detail"]
        assert TOKEN not in answer.text
