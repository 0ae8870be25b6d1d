from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.records import full_workflow, parts_of, small_workflow
from workflow_store import (
    CommandTimeout,
    CommitUnknown,
    InvalidField,
    InvalidRecord,
    LeaseLost,
    Metadata,
    StoreClosed,
    WorkflowStore,
)
from workflow_store.database import Session
from workflow_store.ingest.batch import write_batch


async def test_each_caller_gets_its_own_answer_after_the_commit(store: WorkflowStore) -> None:
    await store.ingest([full_workflow("same"), full_workflow("changed")])

    async with store.writer() as writer:
        answers = await asyncio.gather(
            writer.put(full_workflow("new")),
            writer.put(full_workflow("same")),
            writer.put(full_workflow("changed", url="https://other")),
        )
        back = await store.get_workflow("new")

    assert list(answers) == ["inserted", "unchanged", "updated"]
    assert parts_of(back) == parts_of(full_workflow("new"))


async def test_what_waits_is_committed_together(store: WorkflowStore) -> None:
    async with store.writer(connections=1) as writer:
        answers = await asyncio.gather(*(writer.put(small_workflow(str(number))) for number in range(300)))
        groups = writer.groups

    assert answers == ["inserted"] * 300
    assert groups <= 4


async def test_tasks_that_put_again_and_again_are_shared_evenly(store: WorkflowStore) -> None:
    waiting = iter(range(2_000))

    async with store.writer(connections=2) as writer:

        async def scraper() -> None:
            for number in waiting:
                await writer.put(small_workflow(str(number)))

        await asyncio.gather(*(scraper() for _ in range(40)))
        groups = writer.groups

    # 20 in each, but for the first and the last ones.
    assert groups < 2_000 / 20 + 20


async def test_a_bad_record_fails_only_its_own_caller(store: WorkflowStore, session: Session) -> None:
    await session.connection.execute(
        "ALTER TABLE workflow_store.workflow_metadata ADD CONSTRAINT fussy CHECK (title <> 'refused')"
    )

    async with store.writer() as writer:
        answers = await asyncio.gather(
            *(writer.put(small_workflow(str(number))) for number in range(20)),
            writer.put(small_workflow("nul", metadata=Metadata(title="\x00"))),
            writer.put(small_workflow("refused", metadata=Metadata(title="refused"))),
            writer.put({"workflow_id": "x"}),  # type: ignore[arg-type]
            return_exceptions=True,
        )

    assert answers[:20] == ["inserted"] * 20
    assert [type(answer) for answer in answers[20:]] == [InvalidRecord, InvalidRecord, InvalidField]
    assert "fussy" in str(answers[21])


async def test_puts_of_one_id_are_written_in_their_order(store: WorkflowStore) -> None:
    async with store.writer(connections=4) as writer:
        answers = await asyncio.gather(
            *(writer.put(small_workflow("1", metadata=Metadata(title=str(number)))) for number in range(30)),
            *(writer.put(small_workflow(f"other{number}")) for number in range(30)),
        )

    back = await store.get_workflow("1")
    assert back is not None
    assert back.metadata is not None
    assert back.metadata.title == "29"
    assert answers[:30] == ["inserted"] + ["updated"] * 29


async def test_leaving_the_block_writes_what_waits_and_closes(store: WorkflowStore) -> None:
    async with store.writer(connections=1, batch_size=2) as writer:
        tasks = [asyncio.create_task(writer.put(small_workflow(str(number)))) for number in range(9)]
        await asyncio.sleep(0)

    assert [await task for task in tasks] == ["inserted"] * 9
    await writer.close()
    with pytest.raises(StoreClosed, match="writer is closed"):
        await writer.put(small_workflow("late"))


async def test_puts_beyond_the_bound_wait_for_room(store: WorkflowStore, session: Session) -> None:
    async with store.writer(connections=1, max_waiting=3) as writer:
        async with session.transaction():
            await session.connection.execute("LOCK TABLE workflow_store.workflows IN SHARE MODE")
            tasks = [asyncio.create_task(writer.put(small_workflow(str(number)))) for number in range(10)]
            await asyncio.sleep(0.2)
            held = len(writer._waiting) + len(writer._flying)
        answers = await asyncio.gather(*tasks)

    assert held == 3
    assert answers == ["inserted"] * 10


async def test_a_put_cancelled_while_it_waits_is_not_stored(store: WorkflowStore, session: Session) -> None:
    async with store.writer(connections=1) as writer:
        async with session.transaction():
            await session.connection.execute("LOCK TABLE workflow_store.workflows IN SHARE MODE")
            first = asyncio.create_task(writer.put(small_workflow("first")))
            await asyncio.sleep(0.2)
            second = asyncio.create_task(writer.put(small_workflow("second")))
            await asyncio.sleep(0.05)
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
        assert await first == "inserted"

    assert second.cancelled()
    assert await store.get_workflow("second") is None


async def test_a_group_whose_connection_is_lost_is_written_over_another_one(
    store: WorkflowStore, session: Session
) -> None:
    async with store.writer(connections=1, max_delay=0.05) as writer:
        async with session.transaction():
            await session.connection.execute("LOCK TABLE workflow_store.workflows IN SHARE MODE")
            tasks = [asyncio.create_task(writer.put(small_workflow(str(number)))) for number in range(5)]
            await asyncio.sleep(0.3)
            ended = await session.connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
            )
        answers = await asyncio.gather(*tasks)

    assert ended
    assert answers == ["inserted"] * 5


async def test_a_put_that_is_given_up_while_its_group_is_written_is_in_doubt(
    store: WorkflowStore, session: Session
) -> None:
    async with store.writer(connections=1, max_delay=0.05) as writer, session.transaction():
        await session.connection.execute("LOCK TABLE workflow_store.workflows IN SHARE MODE")
        puts = [writer.put(small_workflow(str(number)), timeout=0.5) for number in range(2)]
        answers = await asyncio.gather(*puts, return_exceptions=True)
        doubts = [answer for answer in answers if isinstance(answer, CommitUnknown)]
        at_work = await store.resolve(small_workflow("0"), doubts[0])

    assert len(doubts) == 2
    assert at_work == "unknown"
    assert await store.resolve(small_workflow("0"), doubts[0]) == "stored"


async def test_what_a_group_has_not_begun_to_write_is_not_called_missing(
    store: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = asyncio.Event()

    async def late(*args: Any, **options: Any) -> Any:
        # Between its question and its transaction, or before a deadlock's repetition, the server is at work on nothing.
        await going_on.wait()
        return await write_batch(*args, **options)

    monkeypatch.setattr("workflow_store.ingest.writer.write_batch", late)
    async with store.writer(connections=1, max_delay=0.05) as writer:
        puts = [writer.put(small_workflow(str(number)), timeout=0.3) for number in range(2)]
        doubts = await asyncio.gather(*puts, return_exceptions=True)
        assert isinstance(doubts[0], CommitUnknown)
        before = await store.resolve(small_workflow("0"), doubts[0])
        going_on.set()

    assert before == "unknown"
    assert await store.resolve(small_workflow("0"), doubts[0]) == "stored"


async def test_a_put_that_is_given_up_before_its_group_is_sent_is_never_stored(database_dsn: str) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1, pool_max_size=1) as store:
        async with store.writer(max_delay=0.01) as writer:
            async with store.transaction():
                # The only connection is taken, and both are a group that waits for it.
                kept = asyncio.create_task(writer.put(small_workflow("kept")))
                with pytest.raises(CommandTimeout):
                    await writer.put(small_workflow("given up"), timeout=0.3)
            assert await kept == "inserted"

        assert await store.get_workflow("given up") is None


async def test_a_delay_gathers_a_group(store: WorkflowStore) -> None:
    async with store.writer(connections=1, max_delay=0.2) as writer:
        tasks = []
        for number in range(5):
            tasks.append(asyncio.create_task(writer.put(small_workflow(str(number)))))
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)

        assert writer.groups == 1


async def test_a_cancelled_close_leaves_nobody_waiting(store: WorkflowStore, session: Session) -> None:
    async def scrape() -> None:
        async with store.writer(connections=1) as writer:
            await asyncio.gather(*(writer.put(small_workflow(str(number))) for number in range(5)))

    async with session.transaction():
        await session.connection.execute("LOCK TABLE workflow_store.workflows IN SHARE MODE")
        task = asyncio.create_task(scrape())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.sleep(0.1)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)

    assert done == {task}
    assert task.cancelled()


async def test_misuse_of_a_writer_is_told(store: WorkflowStore) -> None:
    with pytest.raises(InvalidField, match="max_waiting"):
        async with store.writer(max_waiting=0):
            pass
    with pytest.raises(StoreClosed):
        async with WorkflowStore.open(dsn="postgresql://nowhere").writer():
            pass


async def test_a_put_under_a_claim_ends_its_lease_and_one_that_lost_it_is_not_stored(store: WorkflowStore) -> None:
    ids = ["a", "b", "c", "d"]
    await store.enqueue([(workflow_id, f"https://{workflow_id}") for workflow_id in ids])
    tokens = {claim.workflow_id: claim.token for claim in await store.claim(4, lease=300)}
    again = datetime.now(UTC) + timedelta(days=7)

    async with store.writer() as writer:
        answers = await asyncio.gather(
            writer.put(full_workflow("a"), token=tokens["a"]),
            writer.put(full_workflow("b"), token=tokens["c"]),
            writer.put(full_workflow("c"), token=tokens["c"], next_due_at=again),
            writer.put(full_workflow("e")),
            return_exceptions=True,
        )

    assert [answers[0], answers[2], answers[3]] == ["inserted"] * 3
    assert isinstance(answers[1], LeaseLost)
    assert answers[1].workflow_id == "b"
    assert await store.exists(["a", "b", "c", "d", "e"]) == {"a", "c", "e"}
    # The lease of one that was stored is over: its token is good for nothing more.
    with pytest.raises(LeaseLost):
        await store.complete("a", tokens["a"])
    await store.complete("d", tokens["d"])
    assert await store.pending() == ()


async def test_one_put_under_a_claim_may_say_when_it_is_due_again(store: WorkflowStore) -> None:
    await store.enqueue([("a", "https://a")])
    (claim,) = await store.claim(1, lease=300)

    async with store.writer() as writer:
        await writer.put(full_workflow("a"), token=claim.token, next_due_at=datetime(2026, 1, 1))  # noqa: DTZ001

    (due,) = await store.pending()
    assert (due.workflow_id, due.due_at) == ("a", datetime(2026, 1, 1, tzinfo=UTC))
