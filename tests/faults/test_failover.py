"""The primary goes down, its standby takes over: calls fail with a typed error, and the next ones go to the new one."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.node import Node
from tests.records import small_workflow
from workflow_store import CommitUnknown, Settings, WorkflowStore, schema
from workflow_store.errors import ReadOnly, ServerError, ServerUnavailable

DATABASE = "workflows"
TASKS = 20


@pytest.fixture
def pair() -> Iterator[tuple[Node, Node]]:
    """A primary with the schema, and a standby that has every commit before it is acknowledged."""
    with Node.made() as first, Node.made() as second:
        first.initialise()
        first.start()
        first.execute(f"CREATE DATABASE {DATABASE}")
        asyncio.run(schema.migrate(first.dsn(DATABASE)))
        second.clone(first)
        second.start()
        first.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        first.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 30
        while first.execute("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < deadline, "the standby does not follow"
            time.sleep(0.05)
        yield first, second


def settings_for(*nodes: Node) -> Settings:
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    dsn = f"postgresql://postgres@{hosts}/{DATABASE}"
    return Settings.load(dsn=dsn, pool_min_size=2, pool_max_size=6, connect_timeout=2.0, search_refresh="manual")


class Scrapers:
    """Tasks that store one workflow after the other, and remember which were acknowledged, and when."""

    def __init__(self, store: WorkflowStore) -> None:
        self.acknowledged: dict[str, float] = {}
        self.attempted: set[str] = set()
        self.errors: Counter[str] = Counter()
        self._store = store
        self._over = asyncio.Event()
        self._tasks = [asyncio.create_task(self._scrape(number)) for number in range(TASKS)]

    async def _scrape(self, number: int) -> None:
        turn = 0
        while not self._over.is_set():
            turn += 1
            workflow_id = f"{number}-{turn}"
            self.attempted.add(workflow_id)
            try:
                await self._store.upsert_workflow(small_workflow(workflow_id), timeout=5)
            except ServerError as error:
                self.errors[type(error).__name__] += 1
                await asyncio.sleep(0.02)
            else:
                self.acknowledged[workflow_id] = time.monotonic()

    async def since(self, moment: float, number: int) -> float:
        """Wait until so many were acknowledged after a moment; how many seconds after it the first was."""
        while sum(at > moment for at in self.acknowledged.values()) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return min(at for at in self.acknowledged.values() if at > moment) - moment

    async def all_since(self, moment: float) -> None:
        """Wait until each of the tasks had one acknowledged after a moment."""
        while len({one.split("-")[0] for one, at in self.acknowledged.items() if at > moment}) < TASKS:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)


async def test_the_one_that_took_over_is_used_and_nothing_acknowledged_is_lost(pair: tuple[Node, Node]) -> None:
    first, second = pair
    async with WorkflowStore.open(settings_for(first, second)) as store:
        scrapers = Scrapers(store)
        await asyncio.wait_for(scrapers.since(time.monotonic(), 50), 30)
        assert not scrapers.errors

        await asyncio.to_thread(first.kill)
        await asyncio.to_thread(second.promote)
        promoted = time.monotonic()
        took = await asyncio.wait_for(scrapers.since(promoted, 50), 30)
        # A busy machine lets some of them wait for a connection as long as their deadline allows.
        await asyncio.wait_for(scrapers.all_since(promoted), 30)
        felt = scrapers.errors.copy()

        await asyncio.to_thread(first.rewind, second)
        await asyncio.to_thread(first.start)
        await asyncio.wait_for(scrapers.since(time.monotonic(), 50), 30)
        await scrapers.stop()
        ends = await asyncio.to_thread(_clients, first), await asyncio.to_thread(_clients, second)

    stored = {row[0] for row in second.execute("SELECT workflow_id FROM workflow_store.workflows", DATABASE)}
    assert took <= 10
    assert felt.keys() <= {"ServerUnavailable", "CommitUnknown", "CommandTimeout", "PoolTimeout"}
    assert felt, "nobody noticed"
    assert scrapers.errors == felt, "the return of the old one as a standby was felt"
    assert scrapers.acknowledged.keys() <= stored <= scrapers.attempted
    assert first.execute("SELECT pg_is_in_recovery()") == [(True,)]
    assert ends[0] == 0
    assert ends[1] > 0


async def test_a_primary_that_comes_back_as_a_standby_gets_no_write(pair: tuple[Node, Node]) -> None:
    first, second = pair
    async with WorkflowStore.open(settings_for(first, second)) as store:
        await asyncio.gather(*(store.upsert_workflow(small_workflow(str(number))) for number in range(6)))
        # All at once, while nobody is calling: no connection has noticed.
        await asyncio.to_thread(first.kill)
        await asyncio.to_thread(second.promote)
        await asyncio.to_thread(first.rewind, second)
        await asyncio.to_thread(first.start)
        answers = await asyncio.gather(
            *(store.upsert_workflow(small_workflow(f"after {number}"), timeout=5) for number in range(12)),
            return_exceptions=True,
        )
        assert not [answer for answer in answers if isinstance(answer, ReadOnly)]
        assert await store.upsert_workflow(small_workflow("at last"), timeout=10) == "inserted"

    assert all(answer == "inserted" or isinstance(answer, ServerUnavailable | CommitUnknown) for answer in answers)
    assert second.execute("SELECT count(*) FROM workflow_store.workflows", DATABASE)[0][0] >= 7


async def test_a_standby_alone_is_refused_for_writing_unless_asked_for(pair: tuple[Node, Node]) -> None:
    _, second = pair
    with pytest.raises(ServerUnavailable):
        await WorkflowStore.open(settings_for(second, second))
    settings = settings_for(second)
    async with WorkflowStore.open(settings) as store:
        assert await store.count_workflows() == 0
        with pytest.raises(ReadOnly):
            await store.upsert_workflow(small_workflow("1"))


def _clients(node: Node) -> int:
    rows = node.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = 'workflows' AND backend_type = 'client backend'"
    )
    return int(rows[0][0])
