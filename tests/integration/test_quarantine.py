"""Records in quarantine: looked at, retried, deleted."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.quarantined import quarantined
from tests.records import full_workflow, parts_of, small_workflow
from workflow_store import (
    CommandTimeout,
    InvalidCursor,
    InvalidField,
    Json,
    Metadata,
    Quarantined,
    Rejected,
    StoreClosed,
    Structure,
    Workflow,
    WorkflowStore,
    retry_quarantine,
)
from workflow_store.database import Session
from workflow_store.importers import Limits, read_path

NODES = '{"nodes": [], "connections": {}}'


def bad(number: int, source: str = "a file") -> Rejected:
    return Rejected(source=f"{source}:{number}", reason="no reason", raw=b"{%d" % number)


def deep(levels: int, title: str = "Deep") -> str:
    return f'{{"name": "{title}", "nodes": [], "x": {"[" * levels}{"]" * levels}}}'


def opened(dsn: str, **settings: Any) -> WorkflowStore:
    """A store on the same database with other settings."""
    return WorkflowStore.open(dsn=dsn, pool_min_size=0, **settings)


async def ids(store: WorkflowStore) -> list[str]:
    return [record.id for record in (await store.quarantine.list()).items]


async def test_a_record_is_listed_without_its_bytes_and_got_with_them(store: WorkflowStore) -> None:
    await store.ingest(
        [small_workflow("1"), Rejected(source="page 7", reason="empty", raw=b"<\xff\x00>", workflow_id="7")]
    )

    (listed,) = (await store.quarantine.list()).items
    got = await store.quarantine.get(listed.id)

    assert (listed.source, listed.reason, listed.position, listed.workflow_id) == ("page 7", "empty", 1, "7")
    assert (listed.length, listed.kept, listed.times_seen, listed.raw) == (4, 4, 1, None)
    assert listed.is_whole
    assert got is not None
    assert got.raw == b"<\xff\x00>"
    assert (got.id, got.first_seen_at) == (listed.id, listed.first_seen_at)
    assert await store.quarantine.get("0" * 32) is None


async def test_a_record_that_is_seen_again_is_counted_and_comes_first(store: WorkflowStore) -> None:
    await store.ingest([bad(1)])
    await store.ingest([bad(2)])
    await store.ingest([bad(1)])

    first, second = (await store.quarantine.list()).items

    assert (first.source, first.times_seen) == ("a file:1", 2)
    assert (second.source, second.times_seen) == ("a file:2", 1)
    assert first.last_seen_at > second.last_seen_at > first.first_seen_at


async def test_pages_follow_each_other_and_hold_each_record_once(store: WorkflowStore) -> None:
    await store.ingest(bad(n, "many") for n in range(25))
    await store.ingest(bad(n, "others") for n in range(5))

    pages, after = [], None
    while True:
        page = await store.quarantine.list(limit=10, after=after, source="many")
        pages.append([record.source for record in page.items])
        after = page.next
        if after is None:
            break

    assert [len(page) for page in pages] == [10, 10, 5]
    assert sorted(source for page in pages for source in page) == sorted(f"many:{n}" for n in range(25))
    assert await store.quarantine.count() == 30
    assert await store.quarantine.count(source="others:") == 5
    assert await store.quarantine.count(source="%") == 0


async def test_a_cursor_is_bound_to_its_source(store: WorkflowStore) -> None:
    await store.ingest([bad(1), bad(2)])
    page = await store.quarantine.list(limit=1)

    for cursor, source in ((page.next, "a"), ("nonsense", None), ("", None)):
        with pytest.raises(InvalidCursor):
            await store.quarantine.list(after=cursor, source=source)


@pytest.mark.parametrize("limit", [0, 1_001, True, "10"])
async def test_a_limit_that_is_not_allowed_is_a_typed_error(store: WorkflowStore, limit: Any) -> None:
    with pytest.raises(InvalidField, match="limit"):
        await store.quarantine.list(limit=limit)


async def test_an_abbreviated_id_is_found_if_it_is_of_one_record(store: WorkflowStore, session: Session) -> None:
    await store.ingest([bad(1), bad(2)])
    one, other = await ids(store)
    await session.connection.execute(
        "UPDATE workflow_store.ingest_quarantine SET record_hash = $1 WHERE record_hash = $2",
        bytes.fromhex(one[:10] + "0" * 22),
        bytes.fromhex(other),
    )

    assert await store.quarantine.find(one[:12].upper()) == one
    assert await store.quarantine.find("00000000") is None
    with pytest.raises(InvalidField, match="several records begin with"):
        await store.quarantine.find(one[:8])
    for abbreviation in (one[:7], "g" * 8, "", None):
        with pytest.raises(InvalidField, match="8 to 32 hexadecimal digits"):
            await store.quarantine.find(abbreviation)  # type: ignore[arg-type]


async def test_a_line_that_was_too_deep_is_stored_once_the_limit_allows_it(
    store: WorkflowStore, database_dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/lines.jsonl").write_text(f"{NODES}\n{deep(600)}\n", "utf-8")
    report = await store.ingest(read_path(tmp_path))
    assert (report.inserted, report.rejected) == (1, 1)

    early = await retry_quarantine(store)
    async with opened(database_dsn, max_json_depth=700) as lenient:
        late = await retry_quarantine(lenient)
        workflow = await lenient.get_workflow("more/lines.jsonl:2")

    assert (early.stored, early.rejected) == (0, 1)
    assert "nested deeper than 512 levels" in early.rejections[0].reason
    assert (late.inserted, late.rejected) == (1, 0)
    # Its id is what it would have been: the path below the folder, with the line.
    assert workflow is not None
    assert workflow.metadata is not None
    assert workflow.metadata.title == "Deep"
    assert workflow.structure is not None
    assert workflow.structure.workflow_json == Json.trusted(deep(600).encode())
    assert await store.quarantine.count() == 0


async def test_an_element_of_a_list_keeps_its_place_and_the_option_for_ids(
    store: WorkflowStore, database_dsn: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.json"
    path.write_text(f'[{NODES}, {deep(600)[:-1]}, "id": "own"}}]', "utf-8")

    await store.ingest(read_path(path))
    await store.quarantine.purge(everything=True)
    await store.ingest(read_path(path, id_from="workflow"))
    async with opened(database_dsn, max_json_depth=700) as lenient:
        await retry_quarantine(lenient)

    assert await store.exists(["own", "list.json[1]"]) == {"own"}


async def test_a_workflow_that_the_ingest_refused_is_retried_as_its_own_json(
    store: WorkflowStore, database_dsn: str
) -> None:
    given = full_workflow("9", error_message="\x00")
    await store.ingest([given])

    async with opened(database_dsn, nul="strip") as lenient:
        report = await retry_quarantine(lenient)

    assert (report.inserted, report.cleaned, report.rejected) == (1, 1, 0)
    assert report.notices == ["9: error_message: a NUL or half character removed"]
    assert parts_of(await store.get_workflow("9")) == parts_of(given.model_copy(update={"error_message": ""}))


async def test_what_still_can_not_be_stored_stays_with_the_reason_of_now(store: WorkflowStore) -> None:
    await store.ingest([Rejected(source="mine", reason="the scraper's own words", raw=b"{")])
    (before,) = (await store.quarantine.list()).items

    report = await retry_quarantine(store)

    (after,) = (await store.quarantine.list()).items
    assert (report.rejected, report.rejections[0].source) == (1, "mine")
    assert after.reason.startswith("not JSON")
    assert (after.id, after.times_seen, after.last_seen_at) == (before.id, 1, before.last_seen_at)


async def test_bytes_that_were_cut_or_never_known_can_not_be_retried_and_say_so(
    store: WorkflowStore, tmp_path: Path
) -> None:
    (tmp_path / "long.jsonl").write_text(f'{NODES}\n{{"nodes": ["{"x" * 200_000}"]}}\n', "utf-8")
    (tmp_path / "empty.json").touch()
    large = Workflow(workflow_id="2", url="u\x00", metadata=Metadata(description="x" * 1_200_000))
    await store.ingest(read_path(tmp_path, limits=Limits(max_line_bytes=100_000)))
    await store.ingest([large])
    before = {record.id: record.reason for record in (await store.quarantine.list()).items}

    report = await retry_quarantine(store)

    said = {Path(rejected.source).name: rejected.reason for rejected in report.rejections}
    assert (report.stored, report.rejected) == (0, 3)
    assert "only 65,536 of its 200,015 bytes were kept" in said["long.jsonl:2"]
    assert "only 1,000,000 of its 1,2" in said["workflow 2"]
    assert said["empty.json"] == "it can't be retried, no bytes of it are known: an empty file"
    # The reason that they have says more.
    assert {record.id: record.reason for record in (await store.quarantine.list()).items} == before


async def test_what_was_scraped_since_is_not_replaced_unless_told(store: WorkflowStore) -> None:
    old = small_workflow("1", metadata=Metadata(title="old"))
    await store.ingest([Rejected(source="old", reason="a limit", raw=old.to_json().raw)])
    await store.upsert_workflow(small_workflow("1", metadata=Metadata(title="new")))

    kept = await retry_quarantine(store)
    between = await store.get_workflow("1", include=["metadata"])
    forced = await retry_quarantine(store, overwrite=True)
    after = await store.get_workflow("1", include=["metadata"])

    assert (kept.stored, kept.rejected) == (0, 1)
    assert kept.rejections[0].reason == (
        "a later scrape of this workflow is stored; its metadata stay, unless told to overwrite"
    )
    assert between is not None
    assert between.metadata is not None
    assert between.metadata.title == "new"
    assert (forced.updated, forced.rejected) == (1, 0)
    assert after is not None
    assert after.metadata is not None
    assert after.metadata.title == "old"
    assert await store.quarantine.count() == 0


async def test_a_workflow_that_was_stored_before_is_updated(store: WorkflowStore) -> None:
    await store.upsert_workflow(small_workflow("1", metadata=Metadata(title="old")))
    new = small_workflow("1", metadata=Metadata(title="new"))
    await store.ingest([Rejected(source="new", reason="a limit", raw=new.to_json().raw)])

    report = await retry_quarantine(store)

    assert (report.updated, report.rejected) == (1, 0)


async def test_a_file_of_many_is_taken_apart_and_only_what_is_bad_stays(store: WorkflowStore, session: Session) -> None:
    good, refused = small_workflow("1").to_json().raw, b'{"workflow_id": "2", "url": "u", "quality_score": "much"}'
    server_refuses = b'{"workflow_id":"3","url":"u","structure":{"workflow_json":{"x":1e-20000}}}'
    raw = b"[" + b",".join((good, refused, small_workflow("4").to_json().raw, small_workflow("4").to_json().raw)) + b"]"
    await store.ingest([Rejected(source="file", reason="it was too large once", raw=raw)])
    await store.ingest([Rejected(source="line", reason="whatever", raw=server_refuses)])

    report = await retry_quarantine(store)

    rows = {row.source: row for row in await quarantined(session)}
    assert (report.inserted, report.rejected) == (2, 2)
    assert await store.exists(["1", "2", "3", "4"]) == {"1", "4"}
    assert sorted(rows) == ["file[1]", "line"]
    assert rows["file[1]"].raw == refused
    assert "quality_score" in rows["file[1]"].reason
    assert rows["line"].raw == server_refuses
    assert "overflows numeric format" in rows["line"].reason


async def test_what_only_the_server_refuses_stays_alone(store: WorkflowStore, session: Session) -> None:
    def read(record: Quarantined) -> list[Workflow]:
        documents = [Json({"x": 1}), Json.trusted(b"{not json}"), Json({"x": 3})]
        return [
            small_workflow(str(n), structure=Structure(workflow_json=document)) for n, document in enumerate(documents)
        ]

    await store.ingest([bad(1)])

    report = await store.quarantine.retry(read)

    (row,) = await quarantined(session)
    assert (report.inserted, report.rejected) == (2, 1)
    assert await store.exists(["0", "1", "2"]) == {"0", "2"}
    assert (row.source, row.workflow_id) == ("workflow 1", "1")
    assert b"{not json}" in row.raw


async def test_a_function_of_the_callers_mends_what_it_knows_of(store: WorkflowStore) -> None:
    await store.ingest(
        [
            Rejected(source="page 1", reason="no JSON", raw=b"title=One"),
            Rejected(source="page 2", reason="no JSON", raw=b"<html>"),
        ]
    )

    def read(record: Quarantined) -> Iterator[Workflow | Rejected]:
        raw = record.raw or b""
        if raw.startswith(b"title="):
            yield small_workflow(record.source, metadata=Metadata(title=raw.decode()[6:]))
        else:
            yield Rejected(record.source, "still no title", raw)

    report = await store.quarantine.retry(read, source="page")

    (left,) = (await store.quarantine.list()).items
    assert (report.inserted, report.rejected) == (1, 1)
    assert (left.source, left.reason, left.times_seen) == ("page 2", "still no title", 1)
    assert await store.exists(["page 1", "page 2"]) == {"page 1"}


async def test_a_record_without_an_id_of_its_own_does_not_get_one_that_is_made_up(store: WorkflowStore) -> None:
    await store.ingest([Rejected(source="my scraper", reason="?", raw=NODES.encode())])

    report = await retry_quarantine(store)

    assert report.rejections[0].reason == "it does not bring an id, and where it lay is not known"
    assert await store.count_workflows() == 0


async def test_only_the_records_that_are_named_are_retried(store: WorkflowStore) -> None:
    for n in range(4):
        await store.ingest([Rejected(source=f"{n % 2}", reason="?", raw=small_workflow(str(n)).to_json().raw)])
    newest, *_ = await ids(store)

    by_id = await retry_quarantine(store, [newest, newest, "0" * 32])
    by_source = await retry_quarantine(store, source="0")

    assert (by_id.inserted, by_source.inserted) == (1, 2)
    assert await store.exists(["0", "1", "2", "3"]) == {"0", "2", "3"}
    with pytest.raises(InvalidField, match="32 hexadecimal digits"):
        await retry_quarantine(store, ["abcdef"])


async def test_a_retry_that_is_ended_anywhere_loses_nothing_and_stores_nothing_twice(
    store: WorkflowStore, session: Session
) -> None:
    await store.ingest(Rejected(source=f"{n}", reason="?", raw=small_workflow(str(n)).to_json().raw) for n in range(40))

    for steps in range(0, 200, 3):
        task = asyncio.create_task(retry_quarantine(store))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        stored = await store.exists([str(n) for n in range(40)])
        waiting = {row.source for row in await quarantined(session)}
        # In one place or the other, and never in both.
        assert stored | waiting == {str(n) for n in range(40)}
        assert not stored & waiting
    await retry_quarantine(store)

    assert await store.count_workflows() == 40
    assert await store.quarantine.count() == 0


async def test_two_retries_at_once_store_each_record_once(store: WorkflowStore) -> None:
    await store.ingest(Rejected(source=f"{n}", reason="?", raw=small_workflow(str(n)).to_json().raw) for n in range(30))

    one, other = await asyncio.gather(retry_quarantine(store), retry_quarantine(store))

    assert one.inserted + other.inserted == 30
    assert one.rejected + other.rejected == 0
    assert await store.quarantine.count() == 0


async def test_a_retry_inside_a_transaction_is_undone_with_it(store: WorkflowStore) -> None:
    await store.ingest([Rejected(source="1", reason="?", raw=small_workflow("1").to_json().raw)])

    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as tx:
            report = await tx.quarantine.retry(lambda record: [Workflow.from_json(record.raw or b"")])
            assert report.inserted == 1
            raise ZeroDivisionError

    assert await store.count_workflows() == 0
    assert await store.quarantine.count() == 1


async def test_what_the_callers_function_raises_passes_through_and_the_record_stays(store: WorkflowStore) -> None:
    await store.ingest([bad(1)])

    def read(record: Quarantined) -> list[Workflow]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.quarantine.retry(read)

    assert await store.quarantine.count() == 1


async def test_records_are_purged_by_id_by_age_by_source_or_all(store: WorkflowStore, session: Session) -> None:
    await store.ingest(bad(n, "old") for n in range(3))
    await session.connection.execute(
        "UPDATE workflow_store.ingest_quarantine SET last_seen_at = now() - interval '40 days'"
    )
    await store.ingest(bad(n, "new") for n in range(4))
    newest, *_ = await ids(store)

    assert await store.quarantine.purge([newest, "0" * 32]) == 1
    assert await store.quarantine.purge(older_than=timedelta(days=50)) == 0
    assert await store.quarantine.purge(older_than=30 * 86_400, source="new") == 0
    assert await store.quarantine.purge(older_than=timedelta(days=30), source="old:1") == 1
    assert await store.quarantine.purge(older_than=30 * 86_400) == 2
    assert await store.quarantine.purge(source="new:1") <= 1
    assert await store.quarantine.purge([]) == 0
    left = await store.quarantine.count()
    assert left >= 2
    assert await store.quarantine.purge(everything=True) == left
    assert await store.quarantine.count() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"ids": ["0" * 32], "everything": True},
        {"ids": ["0" * 32], "older_than": 5},
        {"older_than": 5, "everything": True},
        {"older_than": -1},
        {"older_than": "30d"},
        {"older_than": float("nan")},
        {"older_than": timedelta.max},
        {"ids": ["' OR true"]},
        {"source": "\x00"},
    ],
)
async def test_a_purge_that_names_nothing_or_two_things_deletes_nothing(
    store: WorkflowStore, arguments: dict[str, Any]
) -> None:
    await store.ingest([bad(1)])

    with pytest.raises(InvalidField):
        await store.quarantine.purge(**arguments)

    assert await store.quarantine.count() == 1


async def test_every_call_ends_by_its_deadline(store: WorkflowStore, session: Session) -> None:
    await store.ingest([bad(1)])
    (id_,) = await ids(store)

    async with session.transaction():
        await session.connection.execute("LOCK TABLE workflow_store.ingest_quarantine IN ACCESS EXCLUSIVE MODE")
        for call in (
            store.quarantine.list(timeout=0.2),
            store.quarantine.get(id_, timeout=0.2),
            store.quarantine.find(id_[:8], timeout=0.2),
            store.quarantine.count(timeout=0.2),
            retry_quarantine(store, timeout=0.2),
        ):
            with pytest.raises(CommandTimeout):
                await asyncio.wait_for(call, 1.2)

    assert await store.quarantine.count() == 1


async def test_a_store_that_is_not_open_says_so() -> None:
    with pytest.raises(StoreClosed):
        await WorkflowStore.open(dsn="postgresql://nowhere/db").quarantine.count()


async def test_the_parts_that_a_later_scrape_lacks_are_added_to_it(
    store: WorkflowStore, database_dsn: str, tmp_path: Path
) -> None:
    detail = {"id": 7, "name": "Seven", "workflow": {"nodes": [], "x": "\x00"}}
    search = {"id": 7, "name": "Seven", "totalViews": 5, "user": {"username": "ada"}}
    with gzip.open(tmp_path / "api.jsonl.gz", "wt") as file:
        file.write(f"{json.dumps(search)}\n{json.dumps(detail)}\n")
    await store.ingest(read_path(tmp_path))
    assert await store.exists(["7"]) == {"7"}

    async with opened(database_dsn, nul="replace") as lenient:
        report = await retry_quarantine(lenient)

    workflow = await store.get_workflow("7")
    assert (report.updated, report.cleaned) == (1, 1)
    assert workflow is not None
    assert workflow.structure is not None
    assert workflow.structure.workflow_json is not None
    assert workflow.structure.workflow_json.value["x"] == "\ufffd"
    # The little that the detail says of the page is older than what the search said.
    assert workflow.metadata is not None
    assert (workflow.metadata.views, workflow.metadata.author_name) == (5, "ada")
