"""The HTML of the web pages. All untrusted text is escaped by `_text` or `_link`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from gencode.embedded.forge.contents import FileEntry
from gencode.embedded.forge.repositories import RepositoryInfo

MAX_SHOWN_BYTES = 512 * 1024

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --soft: #f3f4f6; --line: #d8dce0;
  --faint: #5c6670; --link: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe3e8; --paper: #14171a; --soft: #1d2126;
  --line: #343a41; --faint: #98a2ad; --link: #78b7f5 } }
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 56rem; color: var(--ink);
  background: var(--paper); font: 16px/1.55 system-ui, sans-serif }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
h1 { margin: .2rem 0 .4rem; font-size: 1.5rem; overflow-wrap: anywhere }
h2 { margin: 2rem 0 .5rem; font-size: 1rem }
.faint { color: var(--faint) }
.tag { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; font-size: .75rem;
  font-weight: normal; vertical-align: middle }
pre { margin: 0; padding: .9rem 1rem; background: var(--soft); border: 1px solid var(--line);
  border-radius: .4rem; overflow-x: auto; font: .85rem/1.5 ui-monospace, monospace; tab-size: 4 }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
td { padding: .3rem .2rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
td + td { text-align: right; white-space: nowrap; color: var(--faint); font-variant-numeric: tabular-nums }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryPage:
    """`files` at the tip of `branch`; `has_more`: the list is truncated; `readme`: content of that file."""

    info: RepositoryInfo
    clone_url: str
    branch: str
    files: Sequence[FileEntry]
    has_more: bool
    readme: bytes | None


def index_page(newest: Sequence[RepositoryInfo]) -> str:
    rows = "".join(
        f"<tr><td>{_repository_link(info)}<br><span class=faint>{_text(info.description)}</span></td>"
        f"<td>{_text(info.created_at[:10])}</td></tr>"
        for info in newest
    )
    none = "<p class=faint>There are none yet.</p>"
    return _page("Repositories", f"<h1>Repositories</h1>{f'<table>{rows}</table>' if rows else none}")


def repository_page(shown: RepositoryPage) -> str:
    info = shown.info
    private = "<span class=tag>private</span>" if info.private else ""
    head = (
        f"<p class=faint><a href='/'>Repositories</a></p><h1>{_repository_link(info)} {private}</h1>"
        f"<p>{_text(info.description)}</p><h2>Clone</h2><pre>git clone {_text(shown.clone_url)}</pre>"
    )
    if not shown.files:
        empty = f"<p class=faint>Nothing on {_text(shown.branch)} yet. Push the first commit.</p>"
        return _page(f"{info.owner}/{info.name}", head + empty)
    more = f"<p class=faint>The first {len(shown.files)} files are shown.</p>" if shown.has_more else ""
    return _page(f"{info.owner}/{info.name}", head + _file_table(shown) + more + _readme(shown.readme))


def file_page(info: RepositoryInfo, path: str, data: bytes) -> str:
    back, size = _repository_link(info), _size(len(data))
    head = f"<p class=faint>{back}</p><h1>{_text(path)}</h1><p class=faint>{size}</p>"
    return _page(f"{path} - {info.owner}/{info.name}", head + _file_content(data))


def not_found_page() -> str:
    return _page("Not found", "<h1>Not found</h1><p><a href='/'>All repositories</a></p>")


def _file_table(shown: RepositoryPage) -> str:
    base = f"/{shown.info.owner}/{shown.info.name}/blob/{shown.branch}/".encode()
    rows = "".join(
        f"<tr><td>{_link(base + entry.path, entry.path.decode('utf-8', 'replace'))}</td>"
        f"<td>{'submodule' if entry.size is None else _size(entry.size)}</td></tr>"
        for entry in shown.files
    )
    return f"<h2>Files on {_text(shown.branch)}</h2><table>{rows}</table>"


def _readme(data: bytes | None) -> str:
    return "" if data is None else f"<h2>Read me</h2>{_file_content(data)}"


def _file_content(data: bytes) -> str:
    if b"\0" in data:
        return "<p class=faint>A binary file: clone the repository to have it.</p>"
    cut = (
        f"<p class=faint>The first {_size(MAX_SHOWN_BYTES)} are shown.</p>"
        if len(data) > MAX_SHOWN_BYTES
        else ""
    )
    # HTML parsers drop a line break right after <pre>: this one is dropped, and one of the file is not.
    return f"<pre>\n{escape(data[:MAX_SHOWN_BYTES].decode('utf-8', 'replace'))}</pre>{cut}"


def _repository_link(info: RepositoryInfo) -> str:
    return _link(f"/{info.owner}/{info.name}".encode(), f"{info.owner}/{info.name}")


def _link(address: bytes, text: str) -> str:
    return f"<a href='{quote(address)}'>{_text(text)}</a>"


def _text(text: str) -> str:
    """Escaped, and in <bdi>, so that it cannot change the writing direction of the text around it."""
    return f"<bdi>{escape(text)}</bdi>"


def _size(count: int) -> str:
    return f"{count:,} B" if count < 1024 else f"{count / 1024:,.1f} KiB"


def _page(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
