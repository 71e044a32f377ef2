"""Uploads of one file: what clients send in practice, and what hostile ones send."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gencode.domain.errors import GencodeError, Invalid
from gencode.http.base_models import RequestModel
from gencode.http.body_limits import BodyLimitMiddleware, BodyLimits
from gencode.http.file_body import MAX_PARTS, MAX_TEXT, FileBody
from gencode.http.operation import OperationGroup, operation
from gencode.http.problems import on_gencode_error, on_http_exception
from gencode.http.response_specs import ResponseSpec

MAX_BODY, MAX_FILE = 1000, 200_000
BOUNDARY = "xyz"
TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class Fields(RequestModel):
    name: str | None = None


BODY = FileBody(model=Fields)


def check_name(name: str) -> None:
    if not name.endswith(".md"):
        raise Invalid.of("file", "extension", "must be Markdown")


@operation("upload", "POST /files/{id:int}", "Upload", body=BODY, responses=(ResponseSpec(description="Ok"),))
async def upload(request: Request) -> Response:
    async with BODY.receive(request, MAX_FILE, check_name) as form:
        content = await form.file.content.read()
        assert len(content) == form.file.size
        return JSONResponse(
            {
                "file": form.file.name,
                "type": form.file.media_type,
                "content": content.decode("latin-1"),
                "name": form.fields.name,
            }
        )


@operation("other", "POST /others", "Other", responses=(ResponseSpec(description="Ok"),))
async def other(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


GROUP = OperationGroup(prefix="", operations=(upload, other))
APP = Starlette(
    routes=GROUP.routes(),
    middleware=[Middleware(BodyLimitMiddleware, limits=BodyLimits(MAX_BODY, MAX_FILE, "", GROUP.operations))],
    exception_handlers={GencodeError: on_gencode_error, HTTPException: on_http_exception},
)


async def post(path: str = "/files/1", **sent: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=APP, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        return await http.post(path, **sent)


def part(disposition: str, content: bytes, more: str = "") -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n"
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


FILE = part('name="file"; filename="a.md"', b"# A", "Content-Type: text/markdown; charset=utf-8\r\n")


async def test_a_client_of_python_sends_a_file_and_a_text() -> None:
    sent = await post(
        files={"file": ("需求 1.md", io.BytesIO(b"\x00\r\n--x"), "text/x")}, data={"name": "甲"}
    )
    assert sent.json() == {"file": "需求 1.md", "type": "text/x", "content": "\x00\r\n--x", "name": "甲"}


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
async def test_a_form_in_pieces_of_any_size_is_the_same(pieces: int) -> None:
    body = form(part('name="name"', b"n"), FILE)

    async def stream() -> Any:
        for start in range(0, len(body), pieces):
            yield body[start : start + pieces]

    answer = await post(content=stream(), headers=TYPE)
    assert answer.json() == {"file": "a.md", "type": "text/markdown", "content": "# A", "name": "n"}


async def test_a_file_larger_than_other_bodies_is_received() -> None:
    content = b"x" * MAX_FILE
    assert (await post(files={"file": ("a.md", content)})).json()["content"] == content.decode()
    assert (await post("/others", content=content)).status_code == 413


async def test_a_file_that_is_too_large_is_refused_with_and_without_a_length() -> None:
    async def endless() -> Any:
        yield FILE[: -len("# A\r\n")]
        for _ in range(1000):
            yield b"x" * MAX_FILE

    for answer in (
        await post(files={"file": ("a.md", b"x" * (MAX_FILE + 1))}),
        await post(content=endless(), headers=TYPE),
    ):
        assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
        assert "MAX_FILE_SIZE" in answer.json()["detail"]


async def test_a_name_is_checked_before_the_content_is_read() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        yield part('name="file"; filename="a.exe"', b"MZ")
        while True:
            read += 1
            assert read < 3
            yield b"x" * 1000

    answer = await post(content=endless(), headers=TYPE)
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "extension")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="file"; filename="../../etc/a.md"', "../../etc/a.md"),
        ("name=file; filename=a.md", "a.md"),
        (r'name="file"; filename="a\"b.md"', 'a"b.md'),
        ('name="file"; filename="a.md"; filename*=UTF-8\'\'b.exe', "a.md"),
    ],
)
async def test_names_come_as_they_were_sent(disposition: str, name: str) -> None:
    assert (await post(content=form(part(disposition, b"1")), headers=TYPE)).json()["file"] == name


async def test_a_name_in_an_older_encoding_of_chinese_is_read() -> None:
    body = form(FILE).replace(b"a.md", "需求.md".encode("gb18030"))
    assert (await post(content=body, headers=TYPE)).json()["file"] == "需求.md"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"# A", 400),
        (form(FILE)[:-6], 400),
        (form(), 422),
        (form(part('name="name"', b"n")), 422),
        (form(part('name="file"', b"# A")), 422),
        (form(part('name="other"', b"1"), FILE), 422),
        (form(part('name="x"; filename="b.md"', b"1"), FILE), 422),
        (form(FILE, FILE), 400),
        (form(part('name="name"', b"1"), part('name="name"', b"2"), FILE), 400),
        (form(part('name="name"', b"\xff"), FILE), 400),
        (form(part('filename="a.md"', b"1")), 400),
        (form(part('name="name"', b"x" * (MAX_TEXT + 1)), FILE), 422),
        (form(*(part(f'name="n{index}"', b"") for index in range(MAX_PARTS + 1))), 400),
        (form(part('name="name"', b"1", "X: " + "y" * 9000 + "\r\n"), FILE), 400),
        (form(part('name="name"', b"1", "X: y\r\n" * 50), FILE), 400),
    ],
)
async def test_a_bad_form_is_a_clear_error(body: bytes, status: int) -> None:
    answer = await post(content=body, headers=TYPE)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 415),
        ("multipart/form-data", 400),
        (f"multipart/form-data; boundary={'x' * 999}", 400),
    ],
)
async def test_a_body_of_another_type_is_refused(media_type: str, status: int) -> None:
    assert (await post(content=form(FILE), headers={"Content-Type": media_type})).status_code == status


def test_the_document_describes_the_form() -> None:
    schema = BODY.to_openapi()["content"]["multipart/form-data"]["schema"]
    assert (schema["required"], sorted(schema["properties"])) == (["file"], ["file", "name"])
    assert schema["properties"]["file"]["format"] == "binary"
