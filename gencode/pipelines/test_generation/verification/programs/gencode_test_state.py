"""What a test changes besides its own names: a state is compared with one that was taken before it."""

from __future__ import annotations

import builtins
import datetime
import json
import math
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import time
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_NO_TRACE = ("__pycache__", ".pytest_cache", "pytest-of-")
_JUDGES = ("pytest", "_pytest", "pluggy", "unittest", "gencode_test_run", "gencode_test_state")
_WATCHED = (builtins, datetime, json, math, os, pathlib, random, shutil, socket, subprocess, time)


def framework() -> dict[str, int]:
    """The functions, classes and methods of what runs and judges tests, by name."""
    found = {}
    for module in list(sys.modules.values()):
        name = str(getattr(module, "__name__", ""))
        if name.partition(".")[0] not in _JUDGES:
            continue
        for attribute, value in list(vars(module).items()):
            if isinstance(value, type) and value.__module__ == name:
                methods = list(vars(value).items())
                found.update({f"{name}.{attribute}.{key}": id(one) for key, one in methods if _is_code(one)})
            if _is_code(value):
                found[f"{name}.{attribute}"] = id(value)
    return found


def _is_code(value: Any) -> bool:
    """Functions that others make while they run may be replaced: pytest does so for each test."""
    kinds = (types.FunctionType, type, classmethod, staticmethod, property)
    return isinstance(value, kinds) and "<locals>" not in getattr(value, "__qualname__", "")


def state(places: tuple[str, ...]) -> dict[str, Any]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return {
        "variables": variables,
        "directory": os.getcwd(),
        "path": list(sys.path),
        "files": dict(file for place in places for file in _files(place)) | _around(places[0]),
        "names": {module.__name__: _callables(module) for module in [*_WATCHED, *_modules(places[0])]},
    }


def _files(folder: str) -> Iterator[tuple[str, Any]]:
    """With what changes if they are written."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_NO_TRACE)]
        for name in names:
            path = os.path.join(parent, name)
            about = os.lstat(path)
            yield os.path.relpath(path, folder), (about.st_mtime_ns, about.st_size)


def _around(folder: str) -> dict[str, Any]:
    """What is beside the folder of this run, where tests of other programs would find it."""
    above = os.path.dirname(os.path.dirname(folder))
    return {f"{above}/{name}": None for name in os.listdir(above) if not name.startswith("run-")}


def _modules(folder: str) -> list[types.ModuleType]:
    """The project's, without its tests."""
    found = []
    for module in list(sys.modules.values()):
        path = str(getattr(module, "__file__", None) or "")
        name = os.path.basename(path)
        if path.startswith(folder + os.sep) and not name.startswith("test") and name != "conftest.py":
            found.append(module)
    return found


def _callables(module: types.ModuleType) -> dict[str, int]:
    """Functions and classes by name: other values may change when the module is used."""
    return {name: id(value) for name, value in list(vars(module).items()) if callable(value)}


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in sorted(before["variables"].keys() | after["variables"].keys()):
        if before["variables"].get(name) != after["variables"].get(name):
            yield f"it changes the environment variable {name}"
    if before["directory"] != after["directory"]:
        yield "it changes the working directory"
    if before["path"] != after["path"]:
        yield "it changes sys.path"
    for name in sorted(after["files"].keys() - before["files"].keys()):
        yield f"it leaves the file {name}"
    for name in sorted(before["files"].keys() - after["files"].keys()):
        yield f"it removes the file {name}"
    for name, about in before["files"].items():
        if after["files"].get(name, about) != about:
            yield f"it changes the file {name}"
    for module, names in before["names"].items():
        now = after["names"].get(module, names)
        for name, value in names.items():
            if now.get(name) != value:
                yield f"it replaces {module}.{name}"
