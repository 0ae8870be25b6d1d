"""Media inside a transaction: links go with it, files are outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.records import small_workflow
from workflow_store import MediaMissing, MisuseError, Transaction, WorkflowMissing, WorkflowStore


async def test_a_workflow_and_its_media_are_committed_together(store: WorkflowStore) -> None:
    async with store.transaction() as tx:
        await tx.create_workflow(small_workflow("1"))
        await tx.media.put("1", "a.txt", b"bytes")
        inside = await tx.media.get("1", "a.txt")
        outside = await store.media.list("1")

    assert isinstance(tx, Transaction)
    assert inside == b"bytes"
    assert outside == ()
    assert await store.media.get("1", "a.txt") == b"bytes"


async def test_a_rollback_leaves_a_file_that_a_collection_finds_and_nothing_else(
    store: WorkflowStore, tmp_path: Path
) -> None:
    await store.create_workflow(small_workflow("1"))
    await store.media.put("1", "kept.txt", b"kept")

    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as tx:
            await tx.media.put("1", "a.txt", b"garbage")
            await tx.media.delete("1", "kept.txt")
            raise ZeroDivisionError
    with pytest.raises(MediaMissing):
        await store.media.get("1", "a.txt")
    report = await store.media.collect_garbage(grace=0)

    assert (report.collected, report.bytes) == (1, len(b"garbage"))
    assert await store.media.get("1", "kept.txt") == b"kept"


async def test_a_savepoint_has_media_too_and_a_refused_link_leaves_the_transaction_alive(store: WorkflowStore) -> None:
    async with store.transaction() as tx:
        await tx.create_workflow(small_workflow("1"))
        with pytest.raises(WorkflowMissing):
            await tx.media.put("nobody", "a.txt", b"bytes")
        async with tx.transaction() as inner:
            await inner.media.put("1", "b.txt", b"bytes")

    assert [file.name for file in await store.media.list("1")] == ["b.txt"]


async def test_garbage_is_not_collected_inside_a_transaction(store: WorkflowStore) -> None:
    async with store.transaction() as tx:
        with pytest.raises(MisuseError, match="inside a transaction"):
            await tx.media.collect_garbage()
