"""The HTML of the forge's pages. Every word that is not ours goes through `_text` or `_link`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from gencode.embedded.forge.contents import Entry
from gencode.embedded.forge.repositories import About

MAX_SHOWN = 512 * 1024

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
class Overview:
    """`files` at the head of `branch`; `more` says that the list was cut; `readme` None if there is none."""

    about: About
    clone_url: str
    branch: str
    files: Sequence[Entry]
    more: bool
    readme: bytes | None


def index(newest: Sequence[About]) -> str:
    rows = "".join(
        f"<tr><td>{_home(about)}<br><span class=faint>{_text(about.description)}</span></td>"
        f"<td>{_text(about.created_at[:10])}</td></tr>"
        for about in newest
    )
    none = "<p class=faint>There are none yet.</p>"
    return _page("Repositories", f"<h1>Repositories</h1>{f'<table>{rows}</table>' if rows else none}")


def overview(shown: Overview) -> str:
    about = shown.about
    private = "<span class=tag>private</span>" if about.private else ""
    head = (
        f"<p class=faint><a href='/'>Repositories</a></p><h1>{_home(about)} {private}</h1>"
        f"<p>{_text(about.description)}</p><h2>Clone</h2><pre>git clone {_text(shown.clone_url)}</pre>"
    )
    if not shown.files:
        empty = f"<p class=faint>Nothing on {_text(shown.branch)} yet. Push the first commit.</p>"
        return _page(f"{about.owner}/{about.name}", head + empty)
    more = f"<p class=faint>The first {len(shown.files)} files are shown.</p>" if shown.more else ""
    return _page(f"{about.owner}/{about.name}", head + _files(shown) + more + _readme(shown.readme))


def file(about: About, path: str, data: bytes) -> str:
    head = f"<p class=faint>{_home(about)}</p><h1>{_text(path)}</h1><p class=faint>{_size(len(data))}</p>"
    return _page(f"{path} - {about.owner}/{about.name}", head + _shown(data))


def missing() -> str:
    return _page("Not found", "<h1>Not found</h1><p><a href='/'>All repositories</a></p>")


def _files(shown: Overview) -> str:
    base = f"/{shown.about.owner}/{shown.about.name}/blob/{shown.branch}/".encode()
    rows = "".join(
        f"<tr><td>{_link(base + entry.path, entry.path.decode('utf-8', 'replace'))}</td>"
        f"<td>{'submodule' if entry.size is None else _size(entry.size)}</td></tr>"
        for entry in shown.files
    )
    return f"<h2>Files on {_text(shown.branch)}</h2><table>{rows}</table>"


def _readme(data: bytes | None) -> str:
    return "" if data is None else f"<h2>Read me</h2>{_shown(data)}"


def _shown(data: bytes) -> str:
    if b"\0" in data:
        return "<p class=faint>A binary file: clone the repository to have it.</p>"
    cut = f"<p class=faint>The first {_size(MAX_SHOWN)} are shown.</p>" if len(data) > MAX_SHOWN else ""
    # A line break right after <pre> would be swallowed: this one is, and the file's own stays.
    return f"<pre>\n{escape(data[:MAX_SHOWN].decode('utf-8', 'replace'))}</pre>{cut}"


def _home(about: About) -> str:
    return _link(f"/{about.owner}/{about.name}".encode(), f"{about.owner}/{about.name}")


def _link(address: bytes, text: str) -> str:
    return f"<a href='{quote(address)}'>{_text(text)}</a>"


def _text(text: str) -> str:
    """Escaped, and kept from turning the writing direction of what stands around it."""
    return f"<bdi>{escape(text)}</bdi>"


def _size(count: int) -> str:
    return f"{count:,} B" if count < 1024 else f"{count / 1024:,.1f} KiB"


def _page(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
