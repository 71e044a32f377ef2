"""Prometheus metrics of the service; docs/operations.md lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Upper bounds of all histograms, in seconds."""


MAX_LABEL_VALUES = 100
"""The most distinct values of a label whose values come from clients; further values are counted as OTHER."""
OTHER = "other"


class _KeptElsewhere(Collector):
    def __init__(self, name: str, description: str, value: Callable[[], int]) -> None:
        self._name = name
        self._description = description
        self._value = value

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._description, value=self._value())


class BoundedLabelValues:
    """Bounds the values of a label: keeps the first MAX_LABEL_VALUES values and replaces later ones by
    OTHER."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def bounded(self, value: str) -> str:
        if value not in self._known:
            if len(self._known) >= MAX_LABEL_VALUES:
                return OTHER
            self._known.add(value)
        return value


class Metrics:
    """The metrics of one application, in a registry of its own.

    Label values come from closed sets (statuses, codes, provider names) or are limited by BoundedLabelValues;
    so the number of series is bounded. Models and clients are labels of separate metrics: one metric with
    both labels would have too many series.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.finished_tasks = self._counter("gencode_tasks", "Finished tasks.", "outcome", "code")
        self.stage_seconds = self._histogram("gencode_stage_seconds", "Duration of each stage.", "stage")
        self.model_seconds = self._histogram("gencode_model_seconds", "Duration of model calls.", "provider")
        self.first_token_seconds = self._histogram(
            "gencode_model_first_token_seconds", "Time to the first token of a model call.", "provider"
        )
        self.host_seconds = self._histogram(
            "gencode_host_seconds", "Duration of calls to Git hosts.", "host", "operation"
        )
        self.retries = self._counter("gencode_retries", "Repeated attempts.", "code")
        self.callback_attempts = self._counter(
            "gencode_callbacks", "Deliveries attempted.", "kind", "outcome"
        )
        self.callback_seconds = self._histogram("gencode_callback_seconds", "Duration of deliveries.", "kind")
        self.tokens = self._counter("gencode_tokens", "Tokens as billed by providers.", "provider", "kind")

        self.deliveries = self._counter("gencode_deliveries", "Tasks given to workers.", "outcome")

        self._models, self._clients = BoundedLabelValues(), BoundedLabelValues()
        self.model_tokens = self._counter("gencode_model_tokens", "Tokens charged.", "model", "kind")
        self.client_tokens = self._counter("gencode_client_tokens", "Tokens charged.", "client", "kind")
        self.model_cost = self._counter("gencode_model_cost", "Cost by PRICES.", "model")
        self.client_cost = self._counter("gencode_client_cost", "Cost by PRICES.", "client")

    def charged(self, model: str, client: str, tokens: Mapping[str, int], cost: Decimal | None) -> None:
        """A model call was charged. `tokens`: by kind; `cost`: None without a price."""
        model, client = self._models.bounded(model), self._clients.bounded(client)
        for kind, count in tokens.items():
            self.model_tokens.labels(model, kind).inc(count)
            self.client_tokens.labels(client, kind).inc(count)
        if cost is not None:
            self.model_cost.labels(model).inc(float(cost))
            self.client_cost.labels(client).inc(float(cost))

    def stage_finished(self, stage: str, seconds: float) -> None:
        """See gencode.engine.ports.metrics."""
        self.stage_seconds.labels(stage).observe(seconds)

    def task_finished(self, status: str, code: str) -> None:
        """See gencode.engine.ports.metrics."""
        self.finished_tasks.labels(status, code).inc()

    def delivery_ended(self, outcome: str) -> None:
        """See gencode.engine.ports.metrics."""
        self.deliveries.labels(outcome).inc()

    def gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Register a gauge; `value` is called for each scrape."""
        Gauge(name, description, registry=self._registry).set_function(value)

    def count(self, name: str, description: str, value: Callable[[], int]) -> None:
        """Register a counter that is kept elsewhere; `value` is called for each scrape."""
        self._registry.register(_KeptElsewhere(name, description, value))

    def render(self) -> bytes:
        """The metrics in Prometheus text format 0.0.4."""
        return generate_latest(self._registry)

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(name, description, labels, registry=self._registry)

    def _histogram(self, name: str, description: str, *labels: str) -> Histogram:
        return Histogram(name, description, labels, registry=self._registry, buckets=BUCKETS)
