"""Every public call ends by its deadline, whatever server and network do; nothing is stuck afterwards."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.records import small_workflow
from workflow_store import CommitUnknown, Settings, Workflow, WorkflowStore, schema
from workflow_store.errors import CommandTimeout, PoolTimeout, ServerUnavailable
from workflow_store.ingest import Writer
from workflow_store.media import Media
from workflow_store.repository.quarantine import Quarantine

Call: TypeAlias = Callable[[WorkflowStore], Awaitable[object]]
TIMEOUT = 1.0
DOUBT = CommitUnknown("it is not known", began=time.monotonic())


async def _streamed(store: WorkflowStore) -> None:
    async for _ in store.stream_workflows(timeout=TIMEOUT):
        pass


async def _in_a_transaction(store: WorkflowStore) -> None:
    async with store.transaction(timeout=TIMEOUT) as tx:
        await tx.create_workflow(small_workflow("in a transaction"))


async def _put(store: WorkflowStore) -> None:
    async with store.writer() as writer:
        await writer.put(small_workflow("put"), timeout=TIMEOUT)


async def _opened(store: WorkflowStore) -> None:
    async with store.media.open("1", "a", timeout=TIMEOUT):
        pass


# By the name of the method; of the store where nothing else is said.
CALLS: dict[str, Call] = {
    "create_workflow": lambda s: s.create_workflow(small_workflow("created"), timeout=TIMEOUT),
    "upsert_workflow": lambda s: s.upsert_workflow(small_workflow("upserted"), timeout=TIMEOUT),
    "resolve": lambda s: s.resolve(small_workflow("1"), DOUBT, timeout=TIMEOUT),
    "get_workflow": lambda s: s.get_workflow("1", timeout=TIMEOUT),
    "delete_workflow": lambda s: s.delete_workflow("1", timeout=TIMEOUT),
    "update_workflow": lambda s: s.update_workflow("1", quality_score=1.0, timeout=TIMEOUT),
    "get_workflows": lambda s: s.get_workflows(["1"], timeout=TIMEOUT),
    "delete_workflows": lambda s: s.delete_workflows(["1"], timeout=TIMEOUT),
    "exists": lambda s: s.exists(["1"], timeout=TIMEOUT),
    "list_workflows": lambda s: s.list_workflows(timeout=TIMEOUT),
    "count_workflows": lambda s: s.count_workflows(timeout=TIMEOUT),
    "stream_workflows": _streamed,
    "search_workflows": lambda s: s.search_workflows("word", timeout=TIMEOUT),
    "suggest": lambda s: s.suggest("wo", timeout=TIMEOUT),
    "enqueue": lambda s: s.enqueue([("1", "u")], timeout=TIMEOUT),
    "pending": lambda s: s.pending(timeout=TIMEOUT),
    "claim": lambda s: s.claim(1, 60, timeout=TIMEOUT),
    "complete": lambda s: s.complete("1", "token", timeout=TIMEOUT),
    "mark_failed": lambda s: s.mark_failed("1", "gone", timeout=TIMEOUT),
    "get_statistics": lambda s: s.get_statistics(timeout=TIMEOUT),
    "transaction": _in_a_transaction,
    "ingest": lambda s: s.ingest([small_workflow("ingested")], timeout=TIMEOUT),
    "refresh_search": lambda s: s.refresh_search(timeout=TIMEOUT),
    "get_search_lag": lambda s: s.get_search_lag(timeout=TIMEOUT),
    "ping": lambda s: s.ping(timeout=TIMEOUT),
    "Writer.put": _put,
    "Media.put": lambda s: s.media.put("1", "a", b"bytes", timeout=TIMEOUT),
    "Media.get": lambda s: s.media.get("1", "a", timeout=TIMEOUT),
    "Media.open": _opened,
    "Media.list": lambda s: s.media.list("1", timeout=TIMEOUT),
    "Media.delete": lambda s: s.media.delete("1", "a", timeout=TIMEOUT),
    "Media.collect_garbage": lambda s: s.media.collect_garbage(timeout=TIMEOUT),
    "Quarantine.list": lambda s: s.quarantine.list(timeout=TIMEOUT),
    "Quarantine.get": lambda s: s.quarantine.get("00" * 16, timeout=TIMEOUT),
    "Quarantine.find": lambda s: s.quarantine.find("0" * 8, timeout=TIMEOUT),
    "Quarantine.count": lambda s: s.quarantine.count(timeout=TIMEOUT),
    "Quarantine.retry": lambda s: s.quarantine.retry(lambda _: [], timeout=TIMEOUT),
    "Quarantine.purge": lambda s: s.quarantine.purge(everything=True, timeout=TIMEOUT),
}
# What has no deadline of its own: opening and closing have theirs by the settings, a writer's are those of its puts.
_WITHOUT = {"close", "writer", "WorkflowStore.open", "Writer.close", "Media.within"}


def public_calls() -> set[str]:
    """Every public method that waits for something."""
    found: set[str] = set()
    for owner in (WorkflowStore, Writer, Media, Quarantine):
        for name, method in inspect.getmembers(owner, callable):
            waits = inspect.iscoroutinefunction(method) or hasattr(method, "__wrapped__")
            if not name.startswith("_") and (waits or "timeout" in inspect.signature(method).parameters):
                found.add(name if owner is WorkflowStore else f"{owner.__name__}.{name}")
    return found - _WITHOUT


def test_no_public_call_is_forgotten() -> None:
    assert public_calls() == CALLS.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_each_takes_a_timeout_by_its_name_alone(name: str) -> None:
    owners: dict[str, type] = {"Writer": Writer, "Media": Media, "Quarantine": Quarantine}
    owner, _, method = name.rpartition(".")
    parameter = inspect.signature(getattr(owners.get(owner, WorkflowStore), method)).parameters["timeout"]

    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default is None


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.running() as made:
        made.thaw()
        asyncio.run(schema.migrate(made.dsn))
        yield made


def settings_for(dsn: str, folder: Path) -> Settings:
    return Settings.load(dsn=dsn, media_dir=folder, pool_min_size=2, pool_max_size=4, search_refresh="manual")


async def ended_in_time(store: WorkflowStore, call: Call) -> None:
    begun = time.monotonic()
    with pytest.raises((CommandTimeout, CommitUnknown, PoolTimeout, ServerUnavailable)):
        await call(store)
    assert time.monotonic() - begun < TIMEOUT + 1.0


async def full_again(store: WorkflowStore) -> None:
    """Within ten seconds every connection that may be open can be had, all at once."""
    async with asyncio.timeout(10):
        while True:
            try:
                await asyncio.gather(*(store.ping(timeout=2) for _ in range(4)))
            except (CommandTimeout, PoolTimeout, ServerUnavailable):
                await asyncio.sleep(0.1)
            else:
                break
    assert store.get_pool_statistics().checked_out == 0


async def test_with_a_frozen_server_every_call_ends_and_afterwards_all_is_well(server: Server, tmp_path: Path) -> None:
    async with WorkflowStore.open(settings_for(server.dsn, tmp_path)) as store:
        await store.upsert_workflow(Workflow(workflow_id="1", url="u"))
        server.freeze()
        try:
            late: list[str] = []
            for name in sorted(CALLS):
                try:
                    await ended_in_time(store, CALLS[name])
                except AssertionError:
                    late.append(name)
            assert late == []
        finally:
            server.thaw()
        await full_again(store)
        assert await store.get_workflow("1") is not None


async def test_close_ends_while_the_server_is_frozen(server: Server, tmp_path: Path) -> None:
    store = await WorkflowStore.open(settings_for(server.dsn, tmp_path))
    server.freeze()
    try:
        begun = time.monotonic()
        await store.close()
        took = time.monotonic() - begun
    finally:
        server.thaw()

    assert took < 5.0


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    async with Proxy.before(server.dsn) as proxy:
        yield proxy


@pytest.mark.parametrize("to", ["server", "client"])
async def test_a_network_that_swallows_one_way_keeps_nobody(proxy: Proxy, tmp_path: Path, to: Any) -> None:
    async with WorkflowStore.open(settings_for(proxy.dsn, tmp_path)) as store:
        await store.upsert_workflow(Workflow(workflow_id="1", url="u"))
        proxy.set(to=to, swallow=True)
        for name in ("get_workflow", "upsert_workflow", "transaction", "ingest", "Writer.put", "stream_workflows"):
            await ended_in_time(store, CALLS[name])
        proxy.clear()
        await full_again(store)


async def test_a_slow_network_brings_the_right_rows(proxy: Proxy, tmp_path: Path) -> None:
    async with WorkflowStore.open(settings_for(proxy.dsn, tmp_path)) as store:
        whole = Workflow(workflow_id="slow", url="u", error_message="é" * 500)
        await store.upsert_workflow(whole)
        proxy.set(piece=1, tick=0.0)
        found = await store.get_workflow("slow", timeout=30)

    assert found is not None
    assert found.error_message == whole.error_message


async def test_idle_connections_that_died_in_silence_are_replaced_unseen(proxy: Proxy, tmp_path: Path) -> None:
    async with WorkflowStore.open(settings_for(proxy.dsn, tmp_path)) as store:
        await asyncio.gather(*(store.ping() for _ in range(4)))
        await asyncio.sleep(0.6)
        for connection in proxy.connections:
            connection.set(swallow=True)
        for _ in range(100):
            assert await store.exists(["none"]) == set()
