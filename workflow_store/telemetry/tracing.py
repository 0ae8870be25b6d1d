"""Spans for OpenTelemetry, by its conventions for database clients; never a parameter, never a text of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workflow_store.errors import SettingsError
from workflow_store.telemetry.watching import Span, Watcher

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

# A stream's span ends in whatever task ends the stream: it can't be the current one of a context.
_LONG: Final = frozenset(("stream_workflows",))


class TracingWatcher(Watcher):
    """A span of each piece of work; those of its parts are its children."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def started(self, span: Span) -> Any:
        """The span of OpenTelemetry, and what makes it the current one."""
        from opentelemetry.trace import SpanKind, use_span

        made = self._tracer.start_span(
            f"workflow_store.{span.name}",
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql", "db.operation.name": span.name},
        )
        if span.name in _LONG:
            return made, None
        current = use_span(made, end_on_exit=False, record_exception=False, set_status_on_exception=False)
        current.__enter__()
        return made, current

    def ended(self, span: Span, started: Any) -> None:
        """Attributes that are known by now, and how it ended."""
        from opentelemetry.trace import StatusCode

        made, current = started
        for name, value in span.attributes.items():
            made.set_attribute(f"workflow_store.{name}", value)
        if span.error is not None:
            made.set_attribute("error.type", span.error)
            made.set_status(StatusCode.ERROR)
        if current is not None:
            current.__exit__(None, None, None)
        made.end()


def tracing_watcher(tracer_provider: Any) -> TracingWatcher:
    """A watcher that makes spans.

    Raises:
        SettingsError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import trace
    except ImportError:
        raise SettingsError("tracing needs OpenTelemetry: install workflow-store[metrics]") from None
    return TracingWatcher(trace.get_tracer("workflow_store", tracer_provider=tracer_provider))
