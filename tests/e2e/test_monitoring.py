"""The dashboard and the alert rules name metrics that the service has, and the metrics say what was used."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gencode.client import Client
from gencode.llm.prices import Price
from tests.e2e.test_docs import first_column, read
from tests.servers.calls import FILES, get
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import ROOT, running_app, settings

MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "rules.yaml"
FOREIGN = {"up"}
"""Metrics of Prometheus itself."""
CODES = re.compile(r'code=~?"([A-Z_|]+)"')
METRIC = re.compile(r"\b(gencode_\w+)")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    return found


def expressions() -> list[str]:
    of_panels = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules()), *of_panels]


@pytest.mark.one_process("its metrics are compared with a report")
async def test_tokens_and_cost_are_those_of_the_report(tmp_path: Path) -> None:
    prices = {"scripted": Price(prompt=Decimal(1000), completion=Decimal(2000))}
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, prices=prices)) as app,
        Client(app.url) as client,
    ):
        task_id = (await client.submit("say hello", "hello"))["task_id"]
        task = await client.wait(task_id)
        assert task["status"] == "completed"
        usage = (await client.report(task_id))["usage"]
        text = await get(app.url, "/metrics")
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    for label in (("client", "local"), ("model", "scripted/m")):
        for kind in ("prompt", "completion", "cached"):
            name = f"gencode_{label[0]}_tokens_total"
            assert samples[name, *sorted([label, ("kind", kind)])] == usage[kind]
        assert samples[f"gencode_{label[0]}_cost_total", label] == pytest.approx(float(usage["cost"]))
    assert usage["prompt"] > 0
    assert samples["gencode_queue_age_seconds",] == 0
    assert samples["gencode_disk_free_bytes",] > 0
    names = {sample for sample, *_ in samples}
    gauges = {name for text in expressions() for name in METRIC.findall(text)} & names
    assert {"gencode_tasks_running", "gencode_queue_age_seconds", "gencode_disk_free_bytes"} <= gauges


def test_rules_and_dashboard_name_documented_metrics_only() -> None:
    """That each documented metric exists is tested with the documents."""
    document = read("docs/operations.md")
    known = {*first_column(document, "Metric"), *first_column(document, "Metric of a cluster")}
    named = {name.removesuffix("_bucket") for text in expressions() for name in METRIC.findall(text)}
    assert named <= known
    assert known - named <= {"gencode_tokens_total", "gencode_callback_seconds"}


def test_rules_name_codes_that_exist() -> None:
    named = {code for text in expressions() for codes in CODES.findall(text) for code in codes.split("|")}
    assert len(named) > 5
    assert named <= set(first_column(read("docs/errors.md"), "Code"))


def test_each_rule_says_what_happened_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules()) > 5
    for rule in rules():
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_each_panel_has_a_place_of_its_own() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len({panel["id"] for panel in panels()}) == len(panels()) > 10


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")
def test_promtool_accepts_the_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")
def test_the_first_failure_since_the_start_raises_an_alert(tmp_path: Path) -> None:
    """A counter's series begins with its first increase, which increase() does not see."""
    labels = 'outcome="failed", code="STORAGE", job="gencode"'
    alert = next(rule for rule in rules() if rule["alert"] == "GencodeFault")
    annotations = {
        key: text.replace("{{ $labels.code }}", "STORAGE") for key, text in alert["annotations"].items()
    }
    expected = {"exp_labels": {"severity": "critical", "code": "STORAGE"}, "exp_annotations": annotations}
    test = {
        "interval": "1m",
        "input_series": [{"series": f"gencode_tasks_total{{{labels}}}", "values": "_x10 1x60"}],
        "alert_rule_test": [
            {"eval_time": "5m", "alertname": "GencodeFault", "exp_alerts": []},
            {"eval_time": "12m", "alertname": "GencodeFault", "exp_alerts": [expected]},
            {"eval_time": "50m", "alertname": "GencodeFault", "exp_alerts": []},
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}))
    checked = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
