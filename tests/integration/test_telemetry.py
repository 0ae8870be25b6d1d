"""Spans, metrics and log records, read from real exporters."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.request
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, start_http_server
from pythonjsonlogger.json import JsonFormatter

from tests.records import full_workflow, small_workflow
from workflow_store import Rejected, Workflow, WorkflowStore
from workflow_store.errors import AlreadyExists
from workflow_store.telemetry import Span, Watcher, enable_metrics, enable_tracing, unwatch, watch


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    watcher = enable_tracing(provider)
    yield exporter
    unwatch(watcher)


@pytest.fixture
def registry() -> Iterator[CollectorRegistry]:
    registry = CollectorRegistry()
    watcher = enable_metrics(registry)
    yield registry
    unwatch(watcher)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def pools_in(registry: CollectorRegistry) -> set[str]:
    return {sample.labels.get("pool", "") for metric in registry.collect() for sample in metric.samples}


async def test_each_operation_is_a_span_that_ends_well_or_names_its_error(
    store: WorkflowStore, spans: InMemorySpanExporter
) -> None:
    await store.create_workflow(small_workflow("1"))
    with pytest.raises(AlreadyExists):
        await store.create_workflow(small_workflow("1"))
    await store.get_workflow("1", timeout=5)

    first, second, third = spans.get_finished_spans()
    assert [span.name for span in (first, second, third)] == [
        "workflow_store.create_workflow",
        "workflow_store.create_workflow",
        "workflow_store.get_workflow",
    ]
    assert attributes(first) == {"db.system.name": "postgresql", "db.operation.name": "create_workflow"}
    assert attributes(second)["error.type"] == "AlreadyExists"
    assert [span.status.is_ok for span in (first, second)] == [True, False]


async def test_a_copy_is_a_span_inside_the_ingest_with_rows_and_bytes(
    store: WorkflowStore, spans: InMemorySpanExporter
) -> None:
    # Fewer are one statement.
    workflows = [full_workflow(str(number)) for number in range(70)]

    await store.ingest(workflows)

    finished = {span.name: span for span in spans.get_finished_spans()}
    copies = [span for span in spans.get_finished_spans() if span.name == "workflow_store.copy"]
    (structure,) = [span for span in copies if attributes(span)["workflow_store.table"] == "workflow_structure"]
    assert workflows[0].structure is not None
    document = workflows[0].structure.workflow_json
    assert document is not None
    assert attributes(structure)["workflow_store.rows"] == 70
    assert attributes(structure)["workflow_store.bytes"] > 70 * len(document.raw)
    ingest = finished["workflow_store.ingest"].context
    assert ingest is not None
    assert {span.parent.span_id for span in copies if span.parent} == {ingest.span_id}


async def test_a_stream_is_one_span_with_its_rows_also_where_it_is_left_early(
    store: WorkflowStore, spans: InMemorySpanExporter
) -> None:
    await store.ingest([small_workflow(str(number)) for number in range(10)])

    assert len([workflow async for workflow in store.stream_workflows(prefetch=4)]) == 10
    stream = store.stream_workflows(prefetch=4)
    await anext(stream)
    await stream.aclose()

    streams = [span for span in spans.get_finished_spans() if span.name == "workflow_store.stream_workflows"]
    assert [attributes(span)["workflow_store.rows"] for span in streams] == [10, 4]
    assert all(span.status.is_ok for span in streams)


async def test_what_a_caller_gave_is_in_no_span(store: WorkflowStore, spans: InMemorySpanExporter) -> None:
    secret = "a title that nobody may see"
    await store.create_workflow(Workflow(workflow_id="id-4711", url="u", error_message=secret))
    await store.search_workflows(secret)
    with pytest.raises(AlreadyExists):
        await store.create_workflow(Workflow(workflow_id="id-4711", url="u"))

    told = "".join(span.to_json() for span in spans.get_finished_spans())
    assert "create_workflow" in told
    assert secret not in told
    assert "id-4711" not in told


async def test_metrics_are_served(store: WorkflowStore, registry: CollectorRegistry) -> None:
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        many = [small_workflow(str(number)) for number in range(70)]
        await store.ingest([*many, Rejected("line 71", "not JSON", b"{")])
        await store.ingest([small_workflow("1")])
        async with store.writer() as writer:
            await writer.put(small_workflow("70"))
        await store.get_search_lag()
        async with store.transaction():  # in use while the server, which is a thread, asks
            text = await asyncio.to_thread(_get, f"http://127.0.0.1:{server.server_port}/metrics")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines['workflow_store_workflows_total{outcome="inserted"}'] == "71.0"
    assert lines['workflow_store_workflows_total{outcome="unchanged"}'] == "1.0"
    assert lines['workflow_store_rejected_total{by="ingest"}'] == "1.0"
    assert lines['workflow_store_operation_seconds_count{operation="ingest",outcome="ok"}'] == "2.0"
    assert lines['workflow_store_operation_seconds_count{operation="writer.put",outcome="ok"}'] == "1.0"
    # What was stored just so needs no batch.
    assert lines["workflow_store_batch_size_count"] == "2.0"
    assert lines['workflow_store_copy_rows_total{table="workflows"}'] == "70.0"
    assert float(lines['workflow_store_copy_bytes_total{table="workflows"}']) > 0
    pool = [line for line in lines if line.startswith("workflow_store_pool_connections") and store.address in line]
    assert {line.rsplit('state="', 1)[1] for line in pool} == {'idle"}', 'in_use"}'}
    assert float(lines[f'workflow_store_pool_connections{{pool="{store.address}",state="in_use"}}']) >= 1
    assert float(lines[f'workflow_store_pool_longest_held_seconds{{pool="{store.address}"}}']) > 0
    assert "workflow_store_search_pending" in lines


async def test_a_closed_store_has_no_pool_metrics(database_dsn: str, registry: CollectorRegistry) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1) as store:
        address = store.address
        assert address in pools_in(registry)

    assert address not in pools_in(registry)


async def test_a_retry_is_counted_and_logged_with_fields(store: WorkflowStore, registry: CollectorRegistry) -> None:
    output = StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(JsonFormatter("{name}{levelname}{message}", style="{"))
    logger = logging.getLogger("workflow_store")
    logger.addHandler(handler)
    workflow = small_workflow("1")
    await store.create_workflow(workflow)
    try:
        async with store.transaction() as tx:
            await tx.update_workflow("1", quality_score=1.0)
            blocked = store.update_workflow("1", quality_score=2.0)
            task = asyncio.create_task(blocked)
            for _ in range(500):
                if await _end_the_blocked(tx):
                    break
                await asyncio.sleep(0.01)
        await task
    finally:
        logger.removeHandler(handler)

    (record,) = [json.loads(line) for line in output.getvalue().splitlines() if "retry" in line]
    assert (record["event"], record["attempt"], record["error"]) == ("retry", 1, "ServerUnavailable")
    assert registry.get_sample_value("workflow_store_retries_total", {"reason": "connection"}) == 1.0


def _get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        text: str = answer.read().decode()
    return text


async def _end_the_blocked(tx: Any) -> int:
    async with tx._sessions.session() as session:
        return len(
            await session.connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
            )
        )


async def test_a_watcher_of_ones_own_is_told(store: WorkflowStore) -> None:
    class Slow(Watcher):
        def __init__(self) -> None:
            self.seen: list[Span] = []

        def ended(self, span: Span, started: Any) -> None:
            self.seen.append(span)

    watcher = watch(Slow())
    try:
        await store.get_workflow("none")
    finally:
        unwatch(watcher)
    await store.get_workflow("none")

    (span,) = watcher.seen
    assert (span.name, span.error) == ("get_workflow", None)
    assert span.seconds > 0
