"""What the service counts, in Prometheus' terms. One instance per application, never a global registry."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """Label values come from closed sets (statuses, codes, provider names), so that series stay few."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.tasks = self._counter("gencode_tasks", "Tasks that are over.", "outcome", "code")
        self.stage = self._histogram("gencode_stage_seconds", "Time in each stage.", "stage")
        self.model = self._histogram("gencode_model_seconds", "Whole model calls.", "provider")
        self.first_token = self._histogram("gencode_model_first_token_seconds", "First token.", "provider")
        self.host = self._histogram("gencode_host_seconds", "Calls to Git hosts.", "host", "operation")
        self.retries = self._counter("gencode_retries", "Attempts made again.", "code")
        self.callbacks = self._counter("gencode_callbacks", "Attempts to tell.", "kind", "outcome")
        self.callback = self._histogram("gencode_callback_seconds", "Attempts to tell.", "kind")
        self.tokens = self._counter("gencode_tokens", "Tokens as billed.", "provider", "kind")

    def stage_finished(self, stage: str, seconds: float) -> None:
        """See gencode.engine.telemetry."""
        self.stage.labels(stage).observe(seconds)

    def task_finished(self, status: str, code: str) -> None:
        """See gencode.engine.telemetry."""
        self.tasks.labels(status, code).inc()

    def stage_finished(self, stage: str, seconds: float) -> None:
        """See gencode.engine.telemetry.EngineMetrics."""
        self.stage.labels(stage).observe(seconds)

    def task_finished(self, status: str, code: str) -> None:
        """See gencode.engine.telemetry.EngineMetrics."""
        self.tasks.labels(status, code).inc()

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A number that is read when somebody looks."""
        Gauge(name, text, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """The Prometheus text format 0.0.4."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self._registry, buckets=SECONDS)
