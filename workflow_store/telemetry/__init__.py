"""What happens inside, told to whoever watches: OpenTelemetry spans, Prometheus metrics, or a watcher of your own.

Without ``enable_tracing``, ``enable_metrics`` or ``watch`` nothing is watched, and calls cost no more for it.
"""

from workflow_store.telemetry.watching import Span, Watcher, unwatch, watch

__all__ = ["Span", "Watcher", "enable_metrics", "enable_tracing", "unwatch", "watch"]


def enable_tracing(tracer_provider: object = None) -> Watcher:
    """Make a span of every operation, of every COPY and of every stream, in OpenTelemetry.

    Args:
        tracer_provider: where they go; the program's own provider where not given.

    Raises:
        SettingsError: the extra ``metrics`` is not installed.
    """
    from workflow_store.telemetry.tracing import tracing_watcher

    return watch(tracing_watcher(tracer_provider))


def enable_metrics(registry: object = None) -> Watcher:
    """Count and time operations, retries, rejected records, batches and pools, for Prometheus.

    Args:
        registry: where the metrics are registered; prometheus_client's default one where not given.

    Raises:
        SettingsError: the extra ``metrics`` is not installed.
    """
    from workflow_store.telemetry.metrics import metrics_watcher

    return watch(metrics_watcher(registry))
