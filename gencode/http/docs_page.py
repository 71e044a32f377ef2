"""/docs: the OpenAPI document as a page. No script, nothing from other hosts."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse

from gencode.http.openapi import OpenAPI
from gencode.http.openapi_endpoint import get_openapi
from gencode.http.operation import operation
from gencode.http.parameter_types import JsonSchema
from gencode.http.response_specs import ResponseSpec

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
nav ul { columns: 18rem; column-gap: 2.5rem; padding: 0; list-style: none; }
nav li { break-inside: avoid; padding: .15rem 0; overflow-wrap: anywhere; }
section { border-top: 1px solid; margin-top: 2rem; }
h3 code { font-weight: normal; }
div.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption, th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
caption { font-weight: bold; }
td p { margin: 0; }
td, th { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
"""
POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
_LIMITS = {
    "format": "",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "pattern": "as {}",
}


MAX_CACHED_PAGES = 16
"""The most cached pages, one for each mount path: an application that mounts this one below a path parameter
lets clients choose them."""
PAGE = ResponseSpec(description="A page", media_type="text/html")


@operation("reference", "GET /docs", "The same, for people", responses=(PAGE,))
async def show(request: Request) -> HTMLResponse:
    root = quote(request.scope.get("root_path", ""))
    return HTMLResponse(_cached_page(get_openapi(request), root), headers={"Content-Security-Policy": POLICY})


@lru_cache(MAX_CACHED_PAGES)
def _cached_page(openapi: OpenAPI, root: str) -> str:
    return page(openapi.document, root)


def page(described: JsonSchema, root: str = "") -> str:
    """HTML. `root`: the path of the service as its client sees it."""
    info, schemas = described["info"], described["components"]["schemas"]
    operations = [
        (method.upper(), path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    listed = "".join(_entry(method, path, operation) for method, path, operation in operations)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{escape(info['title'])} {escape(info['version'])}</h1>{_text(info['description'])}"
        f'<p>For machines: <a href="{root}/openapi.json">openapi.json</a>. '
        f'<a href="{root}/">The page</a> to use it.</p></header>'
        f'<nav aria-label="Addresses"><ul>{listed}</ul></nav><main>'
        f"<h2>Addresses</h2>{''.join(_operation(*one, root=root) for one in operations)}"
        f"<h2>Shapes</h2>{''.join(_schema(name, schema) for name, schema in schemas.items())}"
        "</main></body></html>"
    )


def _entry(method: str, path: str, operation: JsonSchema) -> str:
    return (
        f'<li><a href="#{_anchor(method, path)}">{method} <code>{escape(path)}</code></a> '
        f"{escape(operation.get('summary', ''))}</li>"
    )


def _operation(method: str, path: str, operation: JsonSchema, *, root: str) -> str:
    parameters = [
        (
            _code(one["name"]),
            one["in"],
            _type(one["schema"]),
            _text(one.get("description", "")),
        )
        for one in operation.get("parameters", ())
    ]
    answers = [
        (code, _content(answer), _text(answer["description"]))
        for code, answer in sorted(operation["responses"].items())
    ]
    body = operation.get("requestBody")
    return (
        f'<section id="{_anchor(method, path)}"><h3>{method} <code>{escape(root + path)}</code></h3>'
        f"<p>{escape(operation.get('summary', ''))}. {_keys(operation)}</p>"
        f"{_text(operation.get('description', ''))}"
        f"{_table('Takes', ('Name', 'In', 'Type', 'Meaning'), parameters)}"
        f"{f'<p>Body: {_content(body)}</p>' if body else ''}"
        f"{_table('Answers', ('Status', 'Body', 'When'), answers)}</section>"
    )


def _keys(operation: JsonSchema) -> str:
    return "Needs an API key, where keys are set." if operation.get("security") else "Needs no key."


def _content(holder: JsonSchema) -> str:
    """Each media type with the type of its content."""
    kinds = holder.get("content", {})
    return ", ".join(f"{_code(kind)} {_type(one.get('schema', {}))}" for kind, one in kinds.items())


def _schema(name: str, schema: JsonSchema) -> str:
    needed = schema.get("required", ())
    rows = [
        (
            _code(field),
            _type(one) + ("" if field in needed else " <i>optional</i>"),
            _text(one.get("description", "")),
        )
        for field, one in schema.get("properties", {}).items()
    ]
    shape = _table("Fields", ("Name", "Type", "Meaning"), rows) if rows else f"<p>{_type(schema)}</p>"
    return f'<section id="{name}"><h3>{name}</h3>{_text(schema.get("description", ""))}{shape}</section>'


def _type(schema: JsonSchema) -> str:
    """The type in a few words, with links to the schemas that it names."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(map(_type, choices))
    if values := schema.get("enum"):
        return " | ".join(_code(value) for value in values)
    if "const" in schema:
        return _code(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "anything"))) + "".join(_limits(schema))


def _limits(schema: JsonSchema) -> Iterator[str]:
    for name, words in _LIMITS.items():
        if name in schema:
            value = _code(schema[name])
            yield f", {words.format(value) if words else value}"


def _table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="table"><table><caption>{caption}</caption><tr>{head}</tr>{body}</table></div>'


def _text(text: str) -> str:
    """Paragraphs, lists and `code`: the Markdown that the descriptions use."""
    made = []
    for paragraph in filter(None, map(str.strip, text.split("\n\n"))):
        words = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(paragraph, quote=False))
        if words.startswith("- "):
            entries = re.split(r"^- ", words, flags=re.MULTILINE)[1:]
            made.append(f"<ul>{''.join(f'<li>{entry.strip()}</li>' for entry in entries)}</ul>")
        else:
            made.append(f"<p>{words}</p>")
    return "".join(made)


def _code(value: object) -> str:
    return f"<code>{escape(str(value))}</code>"


def _anchor(method: str, path: str) -> str:
    return f"{method.lower()}{re.sub('[^a-z0-9_]+', '-', path)}"
