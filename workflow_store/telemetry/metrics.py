"""Metrics for Prometheus: operations, retries, rejected records, batches, COPY and pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workflow_store.errors import SettingsError
from workflow_store.telemetry.watching import Span, Watcher, open_pools

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric


class MetricsWatcher(Watcher):
    """Keeps the metrics; every name begins with ``workflow_store_``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self._operations = Histogram(
            "workflow_store_operation_seconds",
            "Seconds that operations took, by operation and by how they ended",
            ("operation", "outcome"),
            registry=registry,
        )
        self._batches = Histogram(
            "workflow_store_batch_size",
            "Records that were written in one transaction",
            registry=registry,
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000),
        )
        counters = (
            ("retries", "reason", "Units of work that were repeated, by why"),
            ("rejected", "by", "Records that were put aside or refused"),
            ("workflows", "outcome", "Workflows written, by what came of them"),
        )
        self._counters = {
            name: Counter(f"workflow_store_{name}_total", text, (label,), registry=registry)
            for name, label, text in counters
        }
        self._rows = Counter("workflow_store_copy_rows_total", "Rows sent by COPY", ("table",), registry=registry)
        self._bytes = Counter("workflow_store_copy_bytes_total", "Bytes sent by COPY", ("table",), registry=registry)
        self._pending = Gauge(
            "workflow_store_search_pending", "Workflows without a search document, when last asked", registry=registry
        )
        registry.register(_Pools())

    def ended(self, span: Span, started: Any) -> None:
        """Time it."""
        if span.name == "copy":
            table = str(span.attributes["table"])
            self._rows.labels(table).inc(float(span.attributes["rows"]))
            self._bytes.labels(table).inc(float(span.attributes["bytes"]))
        else:
            self._operations.labels(span.name, span.error or "ok").observe(span.seconds)

    def counted(self, name: str, amount: float, label: str) -> None:
        """Count it."""
        if name == "batch":
            self._batches.observe(amount)
        elif name == "search_pending":
            self._pending.set(amount)
        else:
            self._counters[name].labels(label).inc(amount)


class _Pools:
    """Asks the pools when it is itself asked."""

    def describe(self) -> Iterator[Metric]:
        # Without this the registry would collect, to learn the names.
        yield from ()

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        connections = GaugeMetricFamily(
            "workflow_store_pool_connections", "Connections, by pool and state", labels=("pool", "state")
        )
        waiting = GaugeMetricFamily("workflow_store_pool_waiting", "Tasks that wait for one", labels=("pool",))
        held = GaugeMetricFamily(
            "workflow_store_pool_longest_held_seconds", "For how long the first that was taken is out", labels=("pool",)
        )
        for pool in open_pools():
            counts = pool.statistics()
            connections.add_metric((pool.address, "idle"), counts.checked_in)
            connections.add_metric((pool.address, "in_use"), counts.checked_out)
            waiting.add_metric((pool.address,), counts.waiting)
            held.add_metric((pool.address,), counts.longest_held)
        yield from (connections, waiting, held)


def metrics_watcher(registry: Any) -> MetricsWatcher:
    """A watcher that keeps metrics.

    Raises:
        SettingsError: prometheus_client is not installed.
    """
    try:
        from prometheus_client import REGISTRY
    except ImportError:
        raise SettingsError("metrics need prometheus-client: install workflow-store[metrics]") from None
    return MetricsWatcher(REGISTRY if registry is None else registry)
