"""Metrics whose labels clients choose, and the size of a folder."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gencode.observability.disk_use import DiskUse, directory_bytes
from gencode.observability.metrics import MAX_LABEL_VALUES, OTHER, Metrics


def test_names_beyond_the_limit_are_counted_together() -> None:
    metrics = Metrics()
    for number in range(MAX_LABEL_VALUES + 50):
        metrics.charged(f"m/{number}", f"client-{number}", {"prompt": 2}, Decimal("0.5"))
    metrics.charged("m/0", "client-0", {"prompt": 2}, None)
    samples = {
        (sample.name, label): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        for label in sample.labels.values()
    }
    for family, first in (("gencode_model", "m/0"), ("gencode_client", "client-0")):
        series = {label: value for (name, label), value in samples.items() if name == f"{family}_cost_total"}
        assert len(series) == MAX_LABEL_VALUES + 1
        assert series[OTHER] == 25
        assert series[first] == 0.5
        assert samples[f"{family}_tokens_total", first] == 4
        assert samples[f"{family}_tokens_total", OTHER] == 100


def test_a_folder_has_the_size_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one").write_bytes(b"x" * 1000)
    (tmp_path / "a" / "b" / "two").write_bytes(b"x" * 500)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert 1500 <= directory_bytes(tmp_path) < 3000, "a link is not followed"
    assert directory_bytes(tmp_path / "none") == 0


def test_a_disk_that_cannot_be_read_is_not_a_number(tmp_path: Path) -> None:
    assert DiskUse(tmp_path).free > 0
    nothing = DiskUse(tmp_path / "none").free
    assert nothing != nothing
