"""Many workflows are read, deleted and looked up by their ids."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest

from tests.records import full_workflow, small_workflow
from workflow_store import InvalidField, Transcript, Workflow, WorkflowStore
from workflow_store.database import Session
from workflow_store.models.workflow import Part
from workflow_store.repository import collections

TABLES = (
    "workflows",
    "workflow_metadata",
    "workflow_structure",
    "workflow_content",
    "video_transcripts",
    "workflow_scrape",
)


@pytest.fixture
async def stored(store: WorkflowStore) -> list[Workflow]:
    """Five workflows, three of them with all parts; one with an empty list of transcripts."""
    given = [
        full_workflow("3"),
        full_workflow("1", transcripts=tuple(Transcript(video_url=f"https://youtu.be/{n}") for n in range(12, 0, -1))),
        small_workflow("ä"),
        full_workflow("2", transcripts=()),
        Workflow(workflow_id="bare", url="u"),
    ]
    await store.ingest(given)
    return given


async def test_they_come_back_in_the_order_asked_for_as_get_gives_them(
    store: WorkflowStore, stored: list[Workflow]
) -> None:
    asked = ["bare", "2", "nobody", "3", "1", "ä", "2", "bare"]

    found = await store.get_workflows(asked)

    assert list(found) == ["bare", "2", "3", "1", "ä"]
    for workflow_id, workflow in found.items():
        assert workflow == await store.get_workflow(workflow_id)


async def test_the_parts_that_are_asked_for_are_loaded(store: WorkflowStore, stored: list[Workflow]) -> None:
    for part in get_args(Part):
        (back,) = (await store.get_workflows(["3"], include={part})).values()
        assert {name for name in get_args(Part) if getattr(back, name) is not None} == {part}

    with pytest.raises(InvalidField, match="content, metadata, structure, transcripts"):
        await store.get_workflows(["3"], include={"layer1"})  # type: ignore[arg-type]


async def test_any_number_of_ids_is_taken(
    store: WorkflowStore, stored: list[Workflow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "CHUNK", 2)
    ids = [f"no {number}" for number in range(3)] + [workflow.workflow_id for workflow in stored]

    assert list(await store.get_workflows(iter(ids))) == ids[3:]
    assert await store.exists(iter(ids)) == set(ids[3:])
    assert await store.delete_workflows(iter(ids)) == 5
    assert await store.get_workflows(ids) == {}


async def test_no_ids_are_no_workflows(store: WorkflowStore, stored: list[Workflow]) -> None:
    assert await store.get_workflows([]) == {}
    assert await store.exists([]) == set()
    assert await store.delete_workflows([]) == 0


async def test_one_statement_brings_a_thousand(
    store: WorkflowStore, stored: list[Workflow], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    fetch = Session.fetch

    async def counting(self: Session, query: Any, *args: Any) -> Any:
        # The store refreshes its search documents meanwhile, by statements of its own.
        if not query.name.startswith("search/"):
            sent.append(query.name)
        return await fetch(self, query, *args)

    monkeypatch.setattr(Session, "fetch", counting)

    await store.get_workflows([str(number) for number in range(1_000)])
    await store.exists([str(number) for number in range(1_000)])

    assert sent == ["collection/get", "collection/exists"]


async def test_deleting_takes_everything_with_it_and_leaves_the_others(
    store: WorkflowStore, session: Session, stored: list[Workflow]
) -> None:
    assert await store.delete_workflows(["3", "nobody", "1", "3", "bare"]) == 3

    assert await store.exists(["1", "2", "3", "bare", "ä"]) == {"2", "ä"}
    for table in TABLES:
        ids = await session.connection.fetch(f"SELECT DISTINCT workflow_id FROM workflow_store.{table}")
        assert {row["workflow_id"] for row in ids} <= {"2", "ä"}, table
    assert await store.delete_workflows(["3", "1", "bare"]) == 0


async def test_deleting_is_one_transaction(store: WorkflowStore, stored: list[Workflow]) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as tx:
            assert await tx.delete_workflows(["3", "2", "1"]) == 3
            raise ZeroDivisionError

    assert await store.exists(["1", "2", "3"]) == {"1", "2", "3"}


async def test_deleting_at_once_in_any_order_deadlocks_nobody_and_counts_each_once(store: WorkflowStore) -> None:
    ids = [str(number) for number in range(100)]
    await store.ingest([small_workflow(workflow_id) for workflow_id in ids])

    more = asyncio.create_task(store.ingest([small_workflow(f"more {number}") for number in range(100)]))
    answers = await asyncio.gather(
        *(store.delete_workflows(ids if number % 2 else reversed(ids)) for number in range(8))
    )
    await more

    assert sum(answers) == 100
    assert await store.exists(ids) == set()
    assert await store.count_workflows() == 100


@pytest.mark.parametrize("workflow_id", ["", "a\x00b", "\ud800", "x" * 2_000, "'; --", "%", "{1,2}", '"'])
async def test_what_can_be_no_id_is_simply_not_there(
    store: WorkflowStore, stored: list[Workflow], workflow_id: str
) -> None:
    ids = [workflow_id, "3"]

    assert list(await store.get_workflows(ids)) == ["3"]
    assert await store.exists(ids) == {"3"}
    assert await store.delete_workflows(ids) == 1


@pytest.mark.parametrize("ids", ["2462", b"2462", 5, [5], [None], ["1", b"2"]], ids=repr)
async def test_something_else_than_ids_is_refused(store: WorkflowStore, ids: Any) -> None:
    for method in (store.get_workflows, store.delete_workflows, store.exists):
        with pytest.raises(InvalidField, match="ids: "):
            await method(ids)
