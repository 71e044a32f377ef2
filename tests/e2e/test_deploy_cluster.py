"""The files in deploy/ for several processes agree with the service and with each other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gencode.queue.procrastinate.worker_timeouts import WorkerTimeouts
from tests.e2e.test_deploy import AFTERMATH, DEPLOY, names_a_setting
from tests.e2e.test_docs import first_column, read
from tests.servers.proxy import SITES, program

ROLES = ("web", "worker")
COMMANDS = {"web": ["serve", "--role", "web"], "worker": ["worker"]}


def shortest_stop(environment: dict[str, str], role: str) -> float:
    """Seconds that a process may take after SIGTERM."""
    stale = float(environment["WORKER_STALE_SECONDS"])
    drain = WorkerTimeouts(stale=stale).drain if role == "worker" else 0
    return int(environment["SHUTDOWN_GRACE"]) + drain + AFTERMATH


# --- Compose ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose-cluster.yaml").read_text(encoding="utf-8"))
    return found


def of_role(compose: dict[str, Any], role: str) -> dict[str, Any]:
    """Its services by name."""
    return {name: one for name, one in compose["services"].items() if name.startswith(role)}


@pytest.mark.parametrize("role", ROLES)
def test_compose_has_two_of_each_role(compose: dict[str, Any], role: str) -> None:
    services = of_role(compose, role)
    assert len(services) == 2
    for one in services.values():
        assert one["command"] == COMMANDS[role]
        assert one["restart"] == "always"
        assert int(one["stop_grace_period"].removesuffix("s")) >= shortest_stop(one["environment"], role)
        assert [name for name in one["environment"] if not names_a_setting(name)] == []


def test_compose_passes_the_secrets_that_its_settings_name(compose: dict[str, Any]) -> None:
    for name, one in compose["services"].items():
        files = [value for key, value in one.get("environment", {}).items() if key.endswith("_FILE")]
        assert {path.rpartition("/")[2] for path in files} == set(one.get("secrets", ())), name
    used = {secret for one in compose["services"].values() for secret in one.get("secrets", ())}
    assert used == set(compose["secrets"])
    ignored = (DEPLOY.parent / ".gitignore").read_text(encoding="utf-8")
    assert "deploy/secrets" in ignored


def test_all_processes_of_compose_have_the_same_settings(compose: dict[str, Any]) -> None:
    found = [one["environment"] for role in ROLES for one in of_role(compose, role).values()]
    common = [{name: value for name, value in one.items() if name != "WORKER_PORT"} for one in found]
    assert all(one == common[0] for one in common)


def test_the_workers_of_compose_answer_the_health_check_of_the_image(compose: dict[str, Any]) -> None:
    port = re.search(r"SERVER_PORT=(\d+)", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    assert port
    assert {one["environment"]["WORKER_PORT"] for one in of_role(compose, "worker").values()} == {port[1]}


def test_only_the_proxy_of_compose_is_published(compose: dict[str, Any]) -> None:
    published = {name: one["ports"] for name, one in compose["services"].items() if "ports" in one}
    assert published.keys() == {"nginx"}
    assert all(port.startswith("127.0.0.1:") for port in published["nginx"])


def test_the_image_of_a_cluster_has_a_lock_file(compose: dict[str, Any]) -> None:
    for role in ROLES:
        for one in of_role(compose, role).values():
            assert (DEPLOY / one["build"]["args"]["LOCK"]).is_file()


# --- nginx ------------------------------------------------------------------------------------------

SITE = SITES / "nginx-cluster.conf"


def test_the_proxy_knows_the_web_processes_of_compose(compose: dict[str, Any]) -> None:
    upstream = re.findall(r"^ +server (\w+):8080;", SITE.read_text(encoding="utf-8"), re.MULTILINE)
    assert upstream == [*of_role(compose, "web")]
    mounted = {volume.split(":")[0] for volume in compose["services"]["nginx"]["volumes"]}
    assert all((DEPLOY / name).is_file() for name in mounted)
    included = set(re.findall(r"include (\S+);", SITE.read_text(encoding="utf-8")))
    assert included <= {Path(name).name for name in mounted}


@pytest.mark.skipif(not program("nginx"), reason="needs nginx")
def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    text = re.sub(r"server web\d:", "server 127.0.0.1:", SITE.read_text(encoding="utf-8"))
    text = text.replace("/var/log/nginx", str(tmp_path))
    (tmp_path / "site.conf").write_text(text)
    shutil.copy(SITES / "gencode-proxy.conf", tmp_path)
    main = tmp_path / "nginx.conf"
    main.write_text(f"pid {tmp_path}/pid; events {{}} http {{ include {tmp_path}/site.conf; }}")
    command = [
        str(program("nginx")),
        "-t",
        "-e",
        str(tmp_path / "errors"),
        "-c",
        str(main),
        "-p",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- Kubernetes -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def objects() -> dict[tuple[str, str], Any]:
    """By kind and name."""
    text = (DEPLOY / "kubernetes/cluster.yaml").read_text(encoding="utf-8")
    return {(one["kind"], one["metadata"]["name"]): one["spec"] for one in yaml.safe_load_all(text)}


def container(objects: dict[tuple[str, str], Any], role: str) -> dict[str, Any]:
    (found,) = objects["Deployment", f"gencode-{role}"]["template"]["spec"]["containers"]
    return dict(found)


def environment(one: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in one["env"]}


@pytest.mark.parametrize("role", ROLES)
def test_a_deployment_fits_the_service(objects: dict[tuple[str, str], Any], role: str) -> None:
    pod, one = objects["Deployment", f"gencode-{role}"]["template"]["spec"], container(objects, role)
    values = environment(one)
    assert one["args"] == COMMANDS[role]
    assert [name for name in values if not names_a_setting(name)] == []
    mounts = [mount["mountPath"] for mount in one["volumeMounts"]]
    files = [value for name, value in values.items() if name.endswith("_FILE")]
    assert all(str(Path(file).parent) in mounts for file in files)
    pause = int(one["lifecycle"]["preStop"]["exec"]["command"][1]) if role == "web" else 0
    assert pod["terminationGracePeriodSeconds"] >= shortest_stop(values, role) + pause
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("role", ROLES)
def test_probes_ask_the_port_of_the_process(objects: dict[tuple[str, str], Any], role: str) -> None:
    one = container(objects, role)
    (port,) = one["ports"]
    setting = {"web": "SERVER_PORT", "worker": "WORKER_PORT"}[role]
    assert str(port["containerPort"]) == environment(one)[setting]
    paths = {"startupProbe": "/readyz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    for probe, path in paths.items():
        assert one[probe]["httpGet"] == {"path": path, "port": port["name"]}
    assert environment(one)["SERVER_HOST"] == "0.0.0.0"


def test_web_and_workers_have_the_same_settings(objects: dict[tuple[str, str], Any]) -> None:
    web, worker = (environment(container(objects, role)) for role in ROLES)
    assert {name for name in {*web, *worker} if web.get(name) != worker.get(name)} == {
        "SERVER_PORT",
        "WORKER_PORT",
    }


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_a_disruption_budget(objects: dict[tuple[str, str], Any], role: str) -> None:
    labels = objects["Deployment", f"gencode-{role}"]["template"]["metadata"]["labels"]
    assert objects["PodDisruptionBudget", f"gencode-{role}"] == {
        "maxUnavailable": 1,
        "selector": {"matchLabels": labels},
    }


def test_the_service_selects_web_processes(objects: dict[tuple[str, str], Any]) -> None:
    labels = objects["Deployment", "gencode-web"]["template"]["metadata"]["labels"]
    assert objects["Service", "gencode"]["selector"] == labels


def test_workers_are_scaled_by_a_metric_that_exists(objects: dict[tuple[str, str], Any]) -> None:
    spec = objects["HorizontalPodAutoscaler", "gencode-worker"]
    assert ("Deployment", spec["scaleTargetRef"]["name"]) in objects
    (metric,) = spec["metrics"]
    assert metric["external"]["metric"]["name"] in first_column(read("docs/operations.md"), "Metric")


# --- systemd ----------------------------------------------------------------------------------------


def unit(role: str) -> Path:
    return DEPLOY / f"systemd/gencode-{role}@.service"


def values(role: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit(role).read_text(encoding="utf-8"), re.MULTILINE)


def unit_environment(role: str) -> dict[str, str]:
    return dict(value.split("=", 1) for value in values(role, "Environment"))


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_fits_the_service(role: str) -> None:
    found = unit_environment(role)
    assert values(role, "ExecStart") == [f"/opt/gencode/bin/gencode {' '.join(COMMANDS[role])}"]
    assert [name for name in found if not names_a_setting(name)] == []
    loaded = {f"%d/{value.partition(':')[0]}" for value in values(role, "LoadCredential")}
    assert loaded == {value for name, value in found.items() if name.endswith("_FILE")}
    assert found["DATA_DIR"] == f"%S/{values(role, 'StateDirectory')[0]}"
    assert int(values(role, "TimeoutStopSec")[0]) >= shortest_stop(found, role)
    assert values(role, "Restart") == ["always"]


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_has_the_restrictions_of_the_single_one(role: str) -> None:
    single = (DEPLOY / "systemd/gencode.service").read_text(encoding="utf-8")
    restrictions = single[single.index("NoNewPrivileges") : single.index("[Install]")]
    assert restrictions in unit(role).read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("role", ROLES)
def test_systemd_accepts_a_unit(role: str, tmp_path: Path) -> None:
    file = tmp_path / f"gencode-{role}@8080.service"
    file.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", unit(role).read_text()))
    command = ["systemd-analyze", "verify", "--man=no", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
