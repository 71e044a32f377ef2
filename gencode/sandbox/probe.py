"""The program that `isolation_check` runs in a sandbox: it tries what must not work, and prints as JSON what
did.

It imports the standard library only, and nothing of the service.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys

OUTSIDE = ("/", "/usr", "/etc", "/dev", "/proc", "/var/tmp")  # noqa: S108 - it must not be writable
CONNECT_SECONDS = 1.0


def main() -> None:
    """Arguments: a file of the service, the name of a variable of the launcher, a port of this machine."""
    file, variable, port = sys.argv[1:]
    tried = {
        "reads files of the service": _reads(file),
        "sees the environment of its launcher": variable in os.environ or _is_inherited(variable),
        "reaches the network of this machine": _connects("127.0.0.1", int(port)),
        "has another network": bool(_interfaces() - {"lo"}),
        "writes outside of its folder": any(_writes(folder) for folder in OUTSIDE),
        "may gain privileges": _status("NoNewPrivs") != "1",
        "has privileges": bool(int(_status("CapEff") or "0", 16)),
        "is not supervised by process 1": os.getppid() != 1,
        "reaches its supervisor": _reads("/proc/1/environ") or _reads("/proc/1/mem"),
    }
    print(json.dumps([what for what, is_possible in tried.items() if is_possible]))


def _reads(path: str) -> bool:
    with contextlib.suppress(OSError), open(path, "rb"):
        return True
    return False


def _writes(folder: str) -> bool:
    path = os.path.join(folder, f"gencode-probe-{os.getpid()}")
    with contextlib.suppress(OSError):
        with open(path, "xb"):
            pass
        os.unlink(path)
        return True
    return False


def _is_inherited(variable: str) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{os.getppid()}/environ", "rb") as file:
        return variable.encode() in file.read()
    return False


def _connects(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), CONNECT_SECONDS):
        return True
    return False


def _interfaces() -> set[str]:
    return {name for _, name in socket.if_nameindex()}


def _status(name: str) -> str:
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(f"{name}:"):
                return line.split(":")[1].strip()
    return ""


if __name__ == "__main__":
    main()
