"""The files in deploy/ agree with the service: settings that exist, timeouts that fit, probes that work."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from anyio import to_thread
from packaging.requirements import Requirement
from packaging.version import Version

from gencode.settings import Settings
from tests.servers.ports import closed_port
from tests.servers.service import ROOT, running_app, settings

DEPLOY = ROOT / "deploy"
LOCKS = ("requirements.lock", "cluster.lock", "build.lock", "constraints.txt")
AFTERMATH = 5
"""Seconds beyond SHUTDOWN_GRACE in which the embedded servers close and tasks note where they are."""


def names_a_setting(variable: str) -> bool:
    secret = variable.removesuffix("_FILE").lower()
    fields = Settings.model_fields
    return variable.lower() in fields or (variable.endswith("_FILE") and secret in fields)


# --- container --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """(instruction, rest) of every instruction."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines.splitlines() if line)
    ]


def last(dockerfile: list[tuple[str, str]], instruction: str) -> str:
    """The rest of its last occurrence, which is the effective one."""
    return [rest for word, rest in dockerfile if word == instruction][-1]


def test_the_environment_of_the_image_names_settings(dockerfile: list[tuple[str, str]]) -> None:
    names = [pair.partition("=")[0] for pair in shlex.split(last(dockerfile, "ENV"))]
    assert [n for n in names if not n.startswith("PYTHON") and n != "PATH" and not names_a_setting(n)] == []


def test_the_image_agrees_with_itself(dockerfile: list[tuple[str, str]]) -> None:
    environment = dict(pair.split("=", 1) for pair in shlex.split(last(dockerfile, "ENV")))
    assert last(dockerfile, "EXPOSE") == environment["SERVER_PORT"]
    assert last(dockerfile, "VOLUME") == environment["DATA_DIR"]
    assert last(dockerfile, "STOPSIGNAL") == "SIGTERM"
    assert int(last(dockerfile, "USER")) > 0
    useradd = next(rest for word, rest in dockerfile if word == "RUN" and "useradd" in rest)
    assert f"--uid {last(dockerfile, 'USER')} " in useradd


def test_everything_that_is_copied_exists_and_is_not_ignored(dockerfile: list[tuple[str, str]]) -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [rest.split()[:-1] for word, rest in dockerfile if word == "COPY" and "--from" not in rest]
    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists(), source
        assert any(Path(source).match(pattern) for pattern in allowed), source


def test_nothing_is_installed_without_a_hash(dockerfile: list[tuple[str, str]]) -> None:
    installs = [rest for word, rest in dockerfile if word == "RUN" and "pip install" in rest]
    assert len(installs) == 3
    assert all("--require-hashes" in rest or "--no-index" in rest for rest in installs)


async def test_the_health_check_of_the_image_works(dockerfile: list[tuple[str, str]], tmp_path: Path) -> None:
    words = json.loads(last(dockerfile, "HEALTHCHECK").partition("CMD ")[2])
    async with running_app(settings(tmp_path)) as app:
        port = app.url.rpartition(":")[2]
        assert await to_thread.run_sync(_probe, words, port) == 0
    assert await to_thread.run_sync(_probe, words, str(closed_port())) == 1


def _probe(words: list[str], port: str) -> int:
    """The exit status of a probe for port 8080, sent to another port."""
    assert words[:2] == ["python", "-c"]
    code = words[2].replace("8080", port)
    done = subprocess.run(
        [sys.executable, "-c", code], env={"SERVER_PORT": port}, capture_output=True, check=False
    )
    return done.returncode


# --- Compose ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    service: dict[str, Any] = document["services"]["gencode"] | {"secret_files": document["secrets"]}
    return service


def test_compose_names_settings_and_passes_their_secrets(compose: dict[str, Any]) -> None:
    assert [name for name in compose["environment"] if not names_a_setting(name)] == []
    given = {
        path.rpartition("/")[2] for name, path in compose["environment"].items() if name.endswith("_FILE")
    }
    assert given == set(compose["secrets"]) == set(compose["secret_files"])


def test_compose_grants_only_what_is_needed(
    compose: dict[str, Any], dockerfile: list[tuple[str, str]]
) -> None:
    assert compose["read_only"] is True
    assert compose["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in compose["security_opt"]
    assert compose["volumes"] == [f"data:{last(dockerfile, 'VOLUME')}"]
    assert all(port.startswith("127.0.0.1:") for port in compose["ports"])


def test_compose_waits_longer_than_the_service_takes_to_stop(compose: dict[str, Any]) -> None:
    grace = int(compose["environment"]["SHUTDOWN_GRACE"])
    assert int(compose["stop_grace_period"].removesuffix("s")) >= grace + AFTERMATH


# --- Kubernetes -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes/sidecar.yaml").read_text(encoding="utf-8"))
    (deployment,) = [document for document in documents if document["kind"] == "Deployment"]
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}, "two processes would want one DATA_DIR"
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def sidecar(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["initContainers"]
    assert container["restartPolicy"] == "Always"
    return container


def test_the_pod_that_restores_uses_the_volume_as_the_sidecar_does(
    pod: dict[str, Any], sidecar: dict[str, Any]
) -> None:
    text = (DEPLOY / "kubernetes/restore.yaml").read_text(encoding="utf-8")
    spec = yaml.safe_load(text)["spec"]
    (container,) = spec["containers"]
    for name in ("image", "imagePullPolicy", "securityContext"):
        assert container[name] == sidecar[name]
    assert spec["securityContext"] == pod["securityContext"]
    assert [volume for volume in spec["volumes"] if volume["name"] == "data"] == [
        volume for volume in pod["volumes"] if volume["name"] == "data"
    ]
    assert all(mount in sidecar["volumeMounts"] for mount in container["volumeMounts"])


def test_the_sidecar_names_settings_and_stays_on_loopback(sidecar: dict[str, Any]) -> None:
    environment = {entry["name"]: entry["value"] for entry in sidecar["env"]}
    assert [name for name in environment if not names_a_setting(name)] == []
    assert environment["SERVER_HOST"] == "127.0.0.1"
    mounts = [mount["mountPath"] for mount in sidecar["volumeMounts"]]
    assert environment["DATA_DIR"] in mounts
    files = [value for name, value in environment.items() if name.endswith("_FILE")]
    assert all(str(Path(file).parent) in mounts for file in files)


def test_the_pod_waits_longer_than_the_service_takes_to_stop(
    pod: dict[str, Any], sidecar: dict[str, Any]
) -> None:
    grace = next(int(entry["value"]) for entry in sidecar["env"] if entry["name"] == "SHUTDOWN_GRACE")
    assert pod["terminationGracePeriodSeconds"] >= grace + AFTERMATH


def test_the_sidecar_runs_without_privileges(pod: dict[str, Any], sidecar: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert sidecar["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", ["startupProbe", "livenessProbe", "readinessProbe"])
async def test_a_probe_of_the_sidecar_works(sidecar: dict[str, Any], name: str, tmp_path: Path) -> None:
    words = sidecar[name]["exec"]["command"]
    async with running_app(settings(tmp_path)) as app:
        assert await to_thread.run_sync(_probe, words, app.url.rpartition(":")[2]) == 0
    assert await to_thread.run_sync(_probe, words, str(closed_port())) == 1


# --- systemd ----------------------------------------------------------------------------------------

UNIT = DEPLOY / "systemd/gencode.service"


def unit_values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_unit_names_settings_and_loads_their_secrets() -> None:
    environment = dict(value.split("=", 1) for value in unit_values("Environment"))
    assert [name for name in environment if not names_a_setting(name)] == []
    loaded = {f"%d/{value.partition(':')[0]}" for value in unit_values("LoadCredential")}
    assert loaded == {value for name, value in environment.items() if name.endswith("_FILE")}
    assert environment["DATA_DIR"] == f"%S/{unit_values('StateDirectory')[0]}"


def test_the_unit_waits_longer_than_the_service_takes_to_stop() -> None:
    environment = dict(value.split("=", 1) for value in unit_values("Environment"))
    assert int(unit_values("TimeoutStopSec")[0]) >= int(environment["SHUTDOWN_GRACE"]) + AFTERMATH


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "gencode.service"
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- locked versions --------------------------------------------------------------------------------


def locked(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each requirement of a lock with its hashes."""
    text = (DEPLOY / name).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            words, *hashes = line.split(" --hash=")
            yield Requirement(words), [one.strip() for one in hashes]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_index_host_or_folder(name: str) -> None:
    """It means the same on every machine."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    assert not re.search(r"://|^-|(?<!\S)[./]|@", text, re.MULTILINE)
    assert all(len(req.specifier) == 1 and "==" in str(req.specifier) for req, _ in locked(name))


@pytest.mark.parametrize("name", ["requirements.lock", "cluster.lock", "build.lock"])
def test_everything_in_the_lock_files_of_the_container_has_hashes(name: str) -> None:
    found = list(locked(name))
    assert found
    for requirement, hashes in found:
        assert hashes, requirement
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), requirement


def test_each_declared_dependency_is_locked_at_an_allowed_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*project["project"]["dependencies"]]
    extras = project["project"]["optional-dependencies"]
    checked = [*declared, *extras["test"], *extras["check"]]
    assert _unmet(declared, "requirements.lock") == [], "run: make lock"
    assert _unmet([*declared, *extras["cluster"]], "cluster.lock") == [], "run: make lock"
    assert _unmet(checked, "constraints.txt") == [], "run: make lock"
    assert _unmet(project["build-system"]["requires"], "build.lock") == [], "run: make lock"


def _unmet(declared: list[str], lock: str) -> list[str]:
    versions: dict[str, list[Version]] = {}
    for requirement, _ in locked(lock):
        version = Version(str(requirement.specifier).removeprefix("=="))
        versions.setdefault(_normal(requirement.name), []).append(version)
    wanted = [Requirement(text) for text in declared]
    return [
        str(req)
        for req in wanted
        if req.name != "gencode-service"
        and not any(req.specifier.contains(version) for version in versions.get(_normal(req.name), []))
    ]


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()
