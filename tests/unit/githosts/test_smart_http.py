"""The private method of dulwich that `SmartHttpClient` overrides; tests/faults/test_git.py tests pushes."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from dulwich.client import AbstractHttpGitClient
from packaging.requirements import Requirement

from gencode.githosts.smart_http import SmartHttpClient
from tests.servers.service import ROOT

CHANGED = (
    f"dulwich {version('dulwich')} has changed AbstractHttpGitClient._http_request, which "
    "gencode.githosts.smart_http.SmartHttpClient overrides: adapt the override, run "
    "tests/faults/test_git.py, and only then raise the limit of dulwich in pyproject.toml"
)


def test_the_private_method_that_is_overridden_has_the_same_signature() -> None:
    original = getattr(AbstractHttpGitClient, "_http_request", None)
    assert callable(original), CHANGED
    assert parameters(original) == parameters(SmartHttpClient._http_request), CHANGED


def test_dulwich_is_limited_to_the_tested_minor_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    limits = found["dulwich"].specifier
    assert "<" in {limit.operator for limit in limits}, "an untested version could change the private method"
    assert version("dulwich") in limits, f"dulwich {version('dulwich')} was not tested: {limits}"


def parameters(method: Callable[..., Any]) -> list[tuple[str, object, object]]:
    return [
        (found.name, found.kind, found.default) for found in inspect.signature(method).parameters.values()
    ]
