"""The sites of deploy/proxy under real proxies, on a free port, in front of a service.

Only addresses, certificates and timeouts are changed; everything else is what operators copy.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from tests.servers.ports import reserve_port
from tests.servers.service import ROOT

SITES = ROOT / "deploy" / "proxy"
READ_TIMEOUT = 4
"""Seconds of silence after which the proxies close a stream in tests, in place of 60."""


def program(name: str) -> str | None:
    """Debian installs servers in /usr/sbin, which only root has in PATH."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """The configuration of a proxy.

    path       the prefix under which it shows the service
    write      writes it to a folder, with the ports of the proxy and the service; returns the main file
    arguments  of the program, from the main file and the folder
    """

    name: str
    program: str
    path: str
    write: Callable[[Path, int, int], Path]
    arguments: Callable[[Path, Path], list[str]]


@asynccontextmanager
async def proxy(site: Site, folder: Path, service_port: int) -> AsyncIterator[str]:
    """The URL of the service through the proxy, without the last slash."""
    folder.mkdir()
    port, found = reserve_port(), program(site.program)
    assert found
    command = [found, *site.arguments(site.write(folder, port, service_port), folder)]
    with (folder / "log").open("wb") as log:
        process = await anyio.open_process(
            command, stdout=log, stderr=subprocess.STDOUT, env=_environment(folder)
        )
    async with process:
        try:
            with anyio.fail_after(60):
                await _listening(port)
            yield f"http://127.0.0.1:{port}{site.path}"
        finally:
            process.terminate()


def _environment(folder: Path) -> dict[str, str]:
    """Caddy writes to HOME."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder)}


async def _listening(port: int) -> None:
    while True:
        try:
            await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
        except OSError:
            await anyio.sleep(0.01)
        else:
            return


# --- nginx ------------------------------------------------------------------------------------------


def write_nginx(
    site: str, folder: Path, port: int, service_port: int, certificate: Path | None = None
) -> Path:
    """The main file. Without a certificate the site serves plain HTTP."""
    text = (SITES / site).read_text(encoding="utf-8")
    if certificate:
        text = re.sub(r"ssl_certificate\b.*", f"ssl_certificate {certificate};", text)
        text = re.sub(r"ssl_certificate_key.*", f"ssl_certificate_key {certificate};", text)
    else:
        text = re.sub(r"(?m)^\s*ssl_\w+ .*$", "", text).replace(" ssl http2", "")
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{service_port}").replace("/var/log/nginx", str(folder))
    passing = (SITES / "gencode-proxy.conf").read_text(encoding="utf-8")
    passing = passing.replace("proxy_read_timeout 60s", f"proxy_read_timeout {READ_TIMEOUT}s")
    (folder / "gencode-proxy.conf").write_text(passing)
    temporary = "\n".join(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY)
    user = f"user {_owner(folder)};\n" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{ worker_connections 4096; }}\n"
        f"http {{\naccess_log off;\n{temporary}\n{text}\n}}\n"
    )
    return main


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _owner(folder: Path) -> str:
    """Its workers may write where the test may."""
    return folder.owner()


def run_nginx(main: Path, folder: Path) -> list[str]:
    return ["-c", str(main), "-p", str(folder)]


# --- Caddy ------------------------------------------------------------------------------------------


def _write_caddy(host: str, folder: Path, port: int, service_port: int) -> Path:
    """The other site gets a port of its own, which is not used."""
    text = (
        (SITES / "Caddyfile")
        .read_text(encoding="utf-8")
        .replace("127.0.0.1:8080", f"127.0.0.1:{service_port}")
    )
    text = text.replace(f"\n{host} {{", f"\nhttp://127.0.0.1:{port} {{")
    text = re.sub(r"(?m)^[a-z]+\.example\.com {$", f"http://127.0.0.1:{reserve_port()} {{", text)
    main = folder / "Caddyfile"
    main.write_text(f"{{\n\tadmin off\n}}\n{text}")
    return main


def _run_caddy(main: Path, folder: Path) -> list[str]:
    return ["run", "--adapter", "caddyfile", "--config", str(main)]


# --- HAProxy ----------------------------------------------------------------------------------------


def _write_haproxy(folder: Path, port: int, service_port: int) -> Path:
    text = (SITES / "haproxy.cfg").read_text(encoding="utf-8")
    text = re.sub(r"bind :443 .*", f"bind 127.0.0.1:{port}", text)
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{service_port}")
    text = re.sub(r"timeout (client|server) 60s", rf"timeout \1 {READ_TIMEOUT}s", text)
    main = folder / "haproxy.cfg"
    main.write_text(text)
    return main


def _run_haproxy(main: Path, folder: Path) -> list[str]:
    return ["-db", "-f", str(main)]


def _nginx(name: str, path: str) -> Site:
    def write(folder: Path, port: int, service_port: int) -> Path:
        return write_nginx(f"{name}.conf", folder, port, service_port)

    return Site(name=name, program="nginx", path=path, write=write, arguments=run_nginx)


def _caddy(name: str, host: str, path: str) -> Site:
    def write(folder: Path, port: int, service_port: int) -> Path:
        return _write_caddy(host, folder, port, service_port)

    return Site(name=name, program="caddy", path=path, write=write, arguments=_run_caddy)


NGINX = _nginx("nginx", "")
NGINX_PATH = _nginx("nginx-path", "/gencode")
CADDY = _caddy("caddy", "gencode.example.com", "")
CADDY_PATH = _caddy("caddy-path", "www.example.com", "/gencode")
HAPROXY = Site(name="haproxy", program="haproxy", path="", write=_write_haproxy, arguments=_run_haproxy)
ALL = (NGINX, NGINX_PATH, CADDY, CADDY_PATH, HAPROXY)
