"""The queue: each entry goes to one scraper at a time, and none is lost."""

from __future__ import annotations

import asyncio
import json
import re
import textwrap
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.records import full_workflow, parts_of, small_workflow
from workflow_store import InvalidField, InvalidRecord, Workflow, WorkflowStore
from workflow_store.database import Session
from workflow_store.errors import LeaseLost
from workflow_store.models.report import Claim
from workflow_store.queries.scrapes import CLAIM, PENDING

PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
LEASE = 60.0


def pairs(*ids: str) -> list[tuple[str, str]]:
    return [(workflow_id, f"https://n8n.io/workflows/{workflow_id}") for workflow_id in ids]


async def entry(session: Session, workflow_id: str) -> dict[str, Any]:
    row = await session.connection.fetchrow(
        "SELECT *, due_at - now() AS wait FROM workflow_store.workflow_scrape WHERE workflow_id = $1", workflow_id
    )
    assert row is not None
    return dict(row)


async def pending_ids(store: WorkflowStore) -> list[str]:
    return [item.workflow_id for item in await store.pending(1_000)]


async def claim_one(store: WorkflowStore, lease: float = LEASE) -> Claim:
    (claim,) = await store.claim(1, lease)
    return claim


async def test_what_is_enqueued_is_pending_with_its_url(store: WorkflowStore) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)

    added = await store.enqueue(pairs("2", "1"))

    one, two = await store.pending()
    assert added == 2
    assert (one.workflow_id, one.url, one.retry_count) == ("1", "https://n8n.io/workflows/1", 0)
    assert before < one.due_at == two.due_at < datetime.now(UTC) + timedelta(minutes=1)


async def test_the_longest_due_comes_first_and_what_is_not_due_does_not_come(store: WorkflowStore) -> None:
    await store.enqueue(pairs("late"), FUTURE)
    await store.enqueue(pairs("b", "a"), PAST + timedelta(days=1))
    await store.enqueue(pairs("c"), PAST)
    await store.enqueue(pairs("d"))

    assert await pending_ids(store) == ["c", "a", "b", "d"]
    assert [item.workflow_id for item in await store.pending(2)] == ["c", "a"]
    assert [claim.workflow_id for claim in await store.claim(3, LEASE)] == ["c", "a", "b"]


async def test_enqueueing_again_adds_nothing(store: WorkflowStore, session: Session) -> None:
    await store.enqueue([("1", "first")], FUTURE)

    assert await store.enqueue([("1", "second")]) == 0
    assert await store.enqueue([("2", "first"), ("2", "second")]) == 1

    known, repeated = await entry(session, "1"), await entry(session, "2")
    assert (known["due_at"], known["url"]) == (FUTURE, "first")
    assert repeated["url"] == "second"


async def test_an_earlier_time_counts_and_a_later_one_does_not(store: WorkflowStore, session: Session) -> None:
    await store.enqueue(pairs("1"), PAST + timedelta(days=1))

    assert await store.enqueue(pairs("1"), FUTURE) == 0
    later = (await entry(session, "1"))["due_at"]
    assert await store.enqueue(pairs("1"), PAST.replace(tzinfo=None)) == 0
    earlier = (await entry(session, "1"))["due_at"]

    assert (later, earlier) == (PAST + timedelta(days=1), PAST)


async def test_what_was_scraped_is_enqueued_only_for_a_time(store: WorkflowStore) -> None:
    await store.create_workflow(small_workflow("1"))

    assert await store.enqueue(pairs("1", "2")) == 1
    assert await pending_ids(store) == ["2"]
    assert await store.enqueue(pairs("1", "2"), PAST) == 1
    assert await pending_ids(store) == ["1", "2"]


async def test_enqueueing_at_once_counts_each_once(store: WorkflowStore) -> None:
    items = pairs(*(str(number) for number in range(2_500)))

    answers = await asyncio.gather(*(store.enqueue(items if n % 2 else reversed(items), PAST) for n in range(6)))

    assert sum(answers) == 2_500
    assert len(await store.pending(1_000)) == 1_000


@pytest.mark.parametrize("item", ["12", ("1",), ("1", "u", "x"), 5, None, {"1": "u", "2": "u"}], ids=repr)
async def test_something_else_than_a_pair_is_refused(store: WorkflowStore, item: Any) -> None:
    with pytest.raises(InvalidField, match="pairs of an id and a URL"):
        await store.enqueue([("1", "u"), item])

    assert await store.pending() == ()


@pytest.mark.parametrize(
    ("item", "field"),
    [(("", "u"), "workflow_id"), (("x" * 1_025, "u"), "workflow_id"), ((5, "u"), "workflow_id"), (("1", ""), "url"),
     (("1", None), "url"), (("1", "a\x00"), "url"), (("\ud800", "u"), "workflow_id")],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
async def test_an_entry_that_can_not_be_stored_is_named_by_its_place(
    store: WorkflowStore, item: Any, field: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        await store.enqueue([("1", "u"), item])

    assert caught.value.field == f"ids_and_urls.1.{field}"


async def test_a_claim_is_for_one_and_for_as_long_as_the_lease(store: WorkflowStore, session: Session) -> None:
    await store.enqueue(pairs("1"))
    now = await session.connection.fetchval("SELECT now()")

    claim = await claim_one(store, 60)

    assert (claim.workflow_id, claim.url, claim.retry_count) == ("1", "https://n8n.io/workflows/1", 0)
    assert timedelta(seconds=59) < claim.lease_until - now < timedelta(seconds=90)
    assert str((await entry(session, "1"))["lease_token"]) == claim.token
    assert await store.claim(1, 60) == ()
    assert await store.pending() == ()


async def test_twenty_scrapers_claim_each_workflow_exactly_once(store: WorkflowStore) -> None:
    ids = [str(number) for number in range(200)]
    await store.enqueue(pairs(*ids))

    claims = await asyncio.gather(*(store.claim(10, timedelta(minutes=1)) for _ in range(20)))

    assert Counter(claim.workflow_id for batch in claims for claim in batch) == Counter(ids)
    assert [len(batch) for batch in claims] == [10] * 20
    assert len({claim.token for batch in claims for claim in batch}) == 200


async def test_scrapers_that_come_and_go_work_the_queue_off(store: WorkflowStore) -> None:
    await store.enqueue(pairs(*(str(number) for number in range(300))))
    done: Counter[str] = Counter()

    async def scraper(size: int) -> None:
        while claims := await store.claim(size, LEASE):
            for claim in claims:
                done[claim.workflow_id] += 1
                await store.complete(claim.workflow_id, claim.token)

    await asyncio.gather(*(scraper(size) for size in (1, 2, 3, 5, 8, 13, 21, 34)))

    assert set(done.values()) == {1}
    assert len(done) == 300
    assert await store.pending() == ()


async def test_a_lease_that_ran_out_is_claimed_again_and_its_token_is_void(store: WorkflowStore) -> None:
    await store.enqueue(pairs("1"))
    lost = await claim_one(store, 0.05)
    await asyncio.sleep(0.1)
    held = await claim_one(store)

    with pytest.raises(LeaseLost, match="'1'") as caught:
        await store.complete("1", lost.token)
    with pytest.raises(LeaseLost):
        await store.mark_failed("1", "late", token=lost.token)

    assert caught.value.workflow_id == "1"
    assert held.token != lost.token
    assert held.retry_count == 0
    await store.complete("1", held.token)


async def test_a_lease_that_ran_out_still_ends_well_where_nobody_else_came(store: WorkflowStore) -> None:
    await store.enqueue(pairs("1"))
    claim = await claim_one(store, 0.05)
    await asyncio.sleep(0.1)

    await store.complete("1", claim.token)

    assert await store.pending() == ()


@pytest.mark.parametrize("token", ["", "not a token", "00000000-0000-0000-0000-000000000000"])
async def test_a_token_that_was_never_given_out_ends_nothing(
    store: WorkflowStore, session: Session, token: str
) -> None:
    await store.enqueue(pairs("1"))
    await claim_one(store)
    before = await entry(session, "1")

    for workflow_id in ("1", "nobody"):
        with pytest.raises(LeaseLost):
            await store.complete(workflow_id, token)
        with pytest.raises(LeaseLost):
            await store.mark_failed(workflow_id, "x", token=token)

    assert await entry(session, "1") | {"wait": None} == before | {"wait": None}
    assert await session.connection.fetchval("SELECT count(*) FROM workflow_store.workflow_scrape") == 1


async def test_completing_leaves_the_queue_or_comes_again(store: WorkflowStore, session: Session) -> None:
    await store.enqueue(pairs("1", "2"))
    await store.mark_failed("1", "x", retry_after=0.001)
    await asyncio.sleep(0.05)
    claims = {claim.workflow_id: claim for claim in await store.claim(2, LEASE)}

    await store.complete("1", claims["1"].token)
    await store.complete("2", claims["2"].token, next_due_at=FUTURE)

    one, two = await entry(session, "1"), await entry(session, "2")
    assert claims["1"].retry_count == 1
    assert [one[name] for name in ("due_at", "lease_token", "lease_until", "retry_count", "last_error")] == [
        None, None, None, 0, None,
    ]  # fmt: skip
    assert two["due_at"] == FUTURE
    with pytest.raises(LeaseLost):
        await store.complete("1", claims["1"].token)


async def test_the_result_of_a_lost_lease_is_not_stored(store: WorkflowStore) -> None:
    await store.enqueue(pairs("2462"))
    lost = await claim_one(store, 0.05)
    await asyncio.sleep(0.1)
    held = await claim_one(store)

    async def put(claim: Claim, views: str) -> None:
        async with store.transaction() as tx:
            await tx.upsert_workflow(full_workflow(error_message=views))
            await tx.complete(claim.workflow_id, claim.token)

    with pytest.raises(LeaseLost):
        await put(lost, "lost")
    nothing = await store.get_workflow("2462")
    await put(held, "held")
    with pytest.raises(LeaseLost):
        await put(lost, "lost")

    assert nothing is None
    assert parts_of(await store.get_workflow("2462")) == parts_of(full_workflow(error_message="held"))
    assert await store.pending() == ()


async def test_puts_and_claims_at_once_store_each_result_exactly_once(store: WorkflowStore) -> None:
    ids = [str(number) for number in range(60)]
    await store.enqueue(pairs(*ids))
    stored: Counter[str] = Counter()
    refused: Counter[str] = Counter()

    async def scraper(number: int) -> None:
        # Leases are so short that many run out while their scraper is at work.
        while claims := await store.claim(4, 0.02):
            for claim in claims:
                await asyncio.sleep(0.005 * (number % 3))
                try:
                    async with store.transaction() as tx:
                        await tx.upsert_workflow(small_workflow(claim.workflow_id))
                        await tx.complete(claim.workflow_id, claim.token)
                except LeaseLost:
                    refused[claim.workflow_id] += 1
                else:
                    stored[claim.workflow_id] += 1

    while await store.pending(1):
        await asyncio.gather(*(scraper(number) for number in range(8)))
        await asyncio.sleep(0.05)

    assert stored == Counter(ids)
    assert await store.count_workflows() == 60


async def test_a_failure_is_noted_counted_and_tried_again_later(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    await store.enqueue(pairs("2462"), PAST)
    claim = await claim_one(store)

    again = await store.mark_failed("2462", "HTTP 503", token=claim.token)

    row = await entry(session, "2462")
    assert (again.workflow_id, again.url, again.retry_count) == ("2462", claim.url, 1)
    assert again.due_at == row["due_at"]
    assert timedelta(seconds=50) < row["wait"] <= timedelta(seconds=60)
    assert (row["lease_token"], row["lease_until"], row["last_error"]) == (None, None, "HTTP 503")
    assert parts_of(await store.get_workflow("2462")) == parts_of(full_workflow(error_message="HTTP 503"))
    assert await store.pending() == ()


async def test_the_pause_doubles_up_to_a_day(store: WorkflowStore, session: Session) -> None:
    waits = []
    for _ in range(14):
        await store.mark_failed("1", "x", url="u")
        waits.append((await entry(session, "1"))["wait"].total_seconds())

    expected = [min(60 * 2**retries, 86_400) for retries in range(14)]
    assert waits == pytest.approx(expected, abs=30)


async def test_the_largest_count_of_retries_stays(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(small_workflow("1", retry_count=2**63 - 1))

    again = await store.mark_failed("1", "x")

    assert again.retry_count == 2**63 - 1
    assert (await entry(session, "1"))["wait"] > timedelta(hours=23)


@pytest.mark.parametrize("retry_after", [timedelta(hours=2), 7_200, 7_200.0])
async def test_a_caller_says_when_to_try_again(store: WorkflowStore, session: Session, retry_after: Any) -> None:
    for _ in range(2):
        await store.mark_failed("1", "HTTP 429", retry_after=retry_after)

        wait = (await entry(session, "1"))["wait"]
        assert timedelta(minutes=119) < wait <= timedelta(hours=2)


async def test_the_error_of_what_was_never_stored_is_remembered_in_part(store: WorkflowStore, session: Session) -> None:
    again = await store.mark_failed("1", "e" * 5_000, url="https://n8n.io/1")
    await store.mark_failed("1", "second")
    kept = await entry(session, "1")
    await store.mark_failed("1", "e" * 5_000)

    assert (again.url, kept["url"], kept["last_error"]) == ("https://n8n.io/1", "https://n8n.io/1", "second")
    assert (await entry(session, "1"))["last_error"] == "e" * 1_000
    assert await store.get_workflow("1") is None


async def test_the_same_error_again_does_not_rewrite_the_workflow(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())
    await store.mark_failed("2462", "HTTP 503")
    before = await store.get_workflow("2462")

    await store.mark_failed("2462", "HTTP 503")

    after = await store.get_workflow("2462")
    assert before is not None
    assert after is not None
    assert (before.updated_at, before.retry_count, after.retry_count) == (after.updated_at, 1, 2)


async def test_a_failure_told_without_a_token_leaves_the_lease_of_another(
    store: WorkflowStore, session: Session
) -> None:
    await store.enqueue(pairs("1"))
    claim = await claim_one(store)

    await store.mark_failed("1", "x", retry_after=0.001)

    assert str((await entry(session, "1"))["lease_token"]) == claim.token
    assert await store.claim(1, LEASE) == ()
    await store.complete("1", claim.token)


async def test_an_upsert_without_a_token_leaves_the_queue_as_it_is(store: WorkflowStore) -> None:
    await store.enqueue(pairs("1", "2"))
    await store.claim(1, LEASE)

    await store.create_workflow(small_workflow("2"))
    await store.upsert_workflow(small_workflow("2"))

    assert await pending_ids(store) == ["2"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"workflow_id": ""}, "workflow_id"), ({"error": "a\x00"}, "error_message"), ({"error": None}, "error_message"),
     ({"error": 5}, "error_message"), ({"url": ""}, "url"), ({"url": "\ud800"}, "url")],
    ids=str,
)  # fmt: skip
async def test_a_failure_that_can_not_be_stored_is_refused(
    store: WorkflowStore, session: Session, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        await store.mark_failed(**({"workflow_id": "1", "error": "x"} | change))

    assert caught.value.field == field
    assert await session.connection.fetchval("SELECT count(*) FROM workflow_store.workflow_scrape") == 0


@pytest.mark.parametrize("limit", [0, -1, 1_001, True, "1", 1.5])
async def test_a_number_out_of_bounds_is_refused(store: WorkflowStore, limit: Any) -> None:
    with pytest.raises(InvalidField, match="limit: "):
        await store.pending(limit)
    with pytest.raises(InvalidField, match="limit: "):
        await store.claim(limit, LEASE)


@pytest.mark.parametrize("seconds", [0, -1, timedelta(0), timedelta(days=400), float("nan"), float("inf"), True, "60"])
async def test_a_duration_that_is_none_is_refused(store: WorkflowStore, seconds: Any) -> None:
    with pytest.raises(InvalidField, match="lease: "):
        await store.claim(1, seconds)
    with pytest.raises(InvalidField, match="retry_after: "):
        await store.mark_failed("1", "x", retry_after=seconds)


async def test_a_time_that_is_none_is_refused(store: WorkflowStore) -> None:
    with pytest.raises(InvalidField, match="due_at: a datetime"):
        await store.enqueue(pairs("1"), "tomorrow")  # type: ignore[arg-type]
    with pytest.raises(InvalidField, match="next_due_at: a datetime"):
        await store.complete("1", "t", "tomorrow")  # type: ignore[arg-type]


async def test_a_claim_reads_the_head_of_its_index_and_one_row_by_key(store: WorkflowStore, session: Session) -> None:
    connection = session.connection
    await connection.execute(
        "INSERT INTO workflow_store.workflow_scrape (workflow_id, url, due_at)"
        " SELECT n::text, 'u', CASE WHEN n % 2 = 0 THEN now() - n * interval '1 s' END FROM generate_series(1, 50000) n"
    )
    await connection.execute("ANALYZE workflow_store.workflow_scrape")

    async def plan(text: str, *args: Any) -> Any:
        async with connection.transaction():
            (document,) = json.loads(
                await connection.fetchval("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + text, *args)
            )
        return document["Plan"]

    candidates = await plan(PENDING.text, 10)
    one = await plan(CLAIM.text, "2", "00000000-0000-0000-0000-000000000001", 60.0)

    assert candidates["Plans"][0]["Node Type"] == "Index Scan"
    assert candidates["Plans"][0]["Index Name"] == "workflow_scrape_due_at_idx"
    assert candidates["Shared Hit Blocks"] + candidates["Shared Read Blocks"] < 20
    assert one["Plans"][0]["Index Name"] == "workflow_scrape_pkey"


async def test_the_guides_loop_works_the_queue_off(store: WorkflowStore, session: Session) -> None:
    text = (ROOT / "docs" / "scraping.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"datetime": datetime, "UTC": UTC, "timedelta": timedelta}
    exec(f"async def work(store, scrape):\n{textwrap.indent(block, '    ')}", names)
    await store.enqueue(pairs("down"), PAST)

    async def scrape(workflow_id: str, url: str) -> Workflow:
        if workflow_id == "down":
            raise TimeoutError("no answer")
        return small_workflow(workflow_id, url=url)

    await names["work"](store, scrape)

    down, up = await entry(session, "down"), await entry(session, "2462")
    assert (down["last_error"], down["retry_count"], down["lease_token"]) == ("no answer", 1, None)
    assert timedelta(days=6) < up["wait"] <= timedelta(days=7)
    assert await store.exists(["down", "2462"]) == {"2462"}


async def test_an_upsert_with_a_token_ends_the_lease_or_stores_nothing(store: WorkflowStore) -> None:
    await store.enqueue([("1", "https://1"), ("2", "https://2")])
    one, two = await store.claim(2, 60)

    assert await store.upsert_workflow(small_workflow(one.workflow_id), token=one.token) == "inserted"
    with pytest.raises(LeaseLost):
        await store.upsert_workflow(small_workflow(two.workflow_id), token=one.token)

    assert await store.exists(["1", "2"]) == {one.workflow_id}
    assert await store.pending() == ()
