"""Filters, orders, pages, counts and streams, held against a model in Python."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records import small_workflow
from workflow_store import (
    Content,
    InvalidCursor,
    InvalidField,
    Metadata,
    Settings,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Session
from workflow_store.errors import ServerUnavailable
from workflow_store.models.workflow import PARTS
from workflow_store.queries import join
from workflow_store.repository import cursor
from workflow_store.repository.filters import FILTERS, Fragment, check_filters
from workflow_store.repository.listing import LISTED_PARTS, NULLABLE, ORDERS, Listing, OrderBy, listing
from workflow_store.resources import folder, statement
from workflow_store.testing import TestServer

START = datetime(2025, 3, 1, tzinfo=UTC)
LONG = "author " * 30
COUNT = 60
BEFORE_TIME = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))


def made(number: int) -> Workflow:
    """Workflows with equal keys, absent keys, absent parts and empty lists among them."""
    metadata = Metadata(
        title=None if number % 11 == 3 else f"Title {number % 7}",
        author_name=(None, "Ann", "Bob", LONG, LONG + "junior")[number % 5],
        views=None if number % 6 == 5 else number % 9 * 100,
        categories=(None, (), ("AI",), ("AI", "Sales"), ("Sales", 'a "quoted" one'))[number % 5],
        tags=(None, ("x",), ("x", "y"))[number % 3],
    )
    structure = Structure(
        node_count=None if number % 7 == 6 else number % 8,
        node_types=(None, ("http",), ("http", "telegram"), ("code", "telegram"), ("code",))[number % 5],
    )
    return Workflow(
        workflow_id=f"id{number * 37 % 101:03}",
        url=f"https://n8n.io/workflows/{number}",
        extracted_at=START + timedelta(hours=number // 2),
        quality_score=None if number % 4 == 3 else number % 10 * 10.5,
        error_message="timeout" if number % 9 == 4 else None,
        metadata=None if number % 13 == 6 else metadata,
        structure=None if number % 8 == 7 else structure,
        content=None if number % 3 == 2 else Content(has_videos=number % 4 == 0),
        transcripts=None
        if number % 2
        else tuple(Transcript(video_url=f"https://youtu.be/{place}") for place in range(number % 3)),
    )


MADE = [made(number) for number in range(COUNT)]


@pytest_asyncio.fixture(scope="module")
async def listed(workflow_store_server: TestServer, workflow_store_template: str) -> AsyncIterator[WorkflowStore]:
    """A store with the workflows of ``made``, which none of its tests changes."""
    name = workflow_store_server.create_database(workflow_store_template)
    options = Settings.load(dsn=workflow_store_server.dsn_of(name), pool_min_size=1, pool_max_size=4)
    async with WorkflowStore.open(options) as store:
        # One by one, so that `updated_at` tells them apart.
        for workflow in MADE:
            await store.create_workflow(workflow)
        yield store
    workflow_store_server.drop_database(name)


@pytest_asyncio.fixture(scope="module")
async def model(listed: WorkflowStore) -> list[Workflow]:
    """The same workflows with the stamps the store gave them."""
    stored = [await listed.get_workflow(workflow.workflow_id) for workflow in MADE]
    return [workflow for workflow in stored if workflow is not None]


def of_metadata(name: str) -> Callable[[Workflow], Any]:
    return lambda workflow: workflow.metadata and getattr(workflow.metadata, name)


def of_structure(name: str) -> Callable[[Workflow], Any]:
    return lambda workflow: workflow.structure and getattr(workflow.structure, name)


KEYS: dict[str, Callable[[Workflow], Any]] = {
    "extracted_at": lambda workflow: workflow.extracted_at,
    "updated_at": lambda workflow: workflow.updated_at,
    "quality_score": lambda workflow: workflow.quality_score,
    "views": of_metadata("views"),
    "title": of_metadata("title"),
    "node_count": of_structure("node_count"),
}


def several(value: Any) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


def least(key: Callable[[Workflow], Any]) -> Callable[[Workflow, Any], bool]:
    return lambda workflow, bound: (found := key(workflow)) is not None and found >= bound


def most(key: Callable[[Workflow], Any]) -> Callable[[Workflow, Any], bool]:
    return lambda workflow, bound: (found := key(workflow)) is not None and found <= bound


def some(key: Callable[[Workflow], Any]) -> Callable[[Workflow, Any], bool]:
    return lambda workflow, names: bool(several(key(workflow) or ()) & several(names))


CHECKS: dict[str, Callable[[Workflow, Any], bool]] = {
    "layer1_success": lambda workflow, flag: (workflow.metadata is not None) == flag,
    "layer2_success": lambda workflow, flag: (workflow.structure is not None) == flag,
    "layer3_success": lambda workflow, flag: (workflow.content is not None) == flag,
    "min_quality": least(KEYS["quality_score"]),
    "max_quality": most(KEYS["quality_score"]),
    "node_type": some(of_structure("node_types")),
    "node_type_all": lambda workflow, names: several(names) <= set(of_structure("node_types")(workflow) or ()),
    "category": some(of_metadata("categories")),
    "tag": some(of_metadata("tags")),
    "author": some(of_metadata("author_name")),
    "min_views": least(KEYS["views"]),
    "has_videos": lambda workflow, flag: bool(workflow.content and workflow.content.has_videos) == flag,
    "min_nodes": least(KEYS["node_count"]),
    "max_nodes": most(KEYS["node_count"]),
    "extracted_after": least(KEYS["extracted_at"]),
    "extracted_before": lambda workflow, moment: workflow.extracted_at is not None and workflow.extracted_at < moment,
    "updated_after": least(KEYS["updated_at"]),
    "has_error": lambda workflow, flag: (workflow.error_message is not None) == flag,
}
# For each filter a value that some meet, one that few meet, and one that none meets.
VALUES: dict[str, list[Any]] = {
    "layer1_success": [True, False],
    "layer2_success": [True, False],
    "layer3_success": [True, False],
    "min_quality": [42.0, 94.5, 100],
    "max_quality": [42, 0.0, -1.0],
    "node_type": ["http", ["code", "http"], {"telegram"}, ("nothing",)],
    "node_type_all": ["http", ["telegram", "http"], ["http", "nothing"]],
    "category": ["AI", ["AI", 'a "quoted" one'], "nothing"],
    "tag": ["x", frozenset({"y"}), "X"],
    "author": ["Ann", ["Bob", LONG], LONG + "junior", LONG + "senior"],
    "min_views": [300, 800, 10**15],
    "has_videos": [True, False],
    "min_nodes": [4, 7, 8],
    "max_nodes": [4, 0, -1],
    "extracted_after": [START + timedelta(hours=10), START + timedelta(hours=29), START + timedelta(days=99)],
    "extracted_before": [START + timedelta(hours=10), START + timedelta(hours=1), START],
    "updated_after": [datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)],
    "has_error": [True, False],
}


def expected(model: list[Workflow], order_by: str, descending: bool, filters: dict[str, Any]) -> list[str]:
    key = KEYS[order_by]
    found = [w for w in model if all(CHECKS[name](w, value) for name, value in filters.items())]
    present = [workflow for workflow in found if key(workflow) is not None]
    absent = [workflow for workflow in found if key(workflow) is None]
    present.sort(key=lambda workflow: (key(workflow), workflow.workflow_id), reverse=descending)
    absent.sort(key=lambda workflow: workflow.workflow_id, reverse=descending)
    return [workflow.workflow_id for workflow in present + absent]


async def paged(
    store: WorkflowStore, order_by: str, descending: bool, limit: int, filters: dict[str, Any]
) -> list[str]:
    seen: list[str] = []
    after = None
    while True:
        page = await store.list_workflows(
            order_by=order_by, order_desc=descending, limit=limit, after=after, include=(), **filters
        )
        assert len(page) <= limit
        seen += [workflow.workflow_id for workflow in page.items]
        after = page.next
        if after is None:
            return seen
        assert len(page) == limit


def test_the_model_knows_every_filter_and_every_order() -> None:
    assert list(CHECKS) == list(VALUES) == list(FILTERS)
    assert tuple(KEYS) == ORDERS


@pytest.mark.parametrize("order_by", ORDERS)
@pytest.mark.parametrize("descending", [True, False])
async def test_each_filter_pages_as_the_model_says_in_each_order_and_size(
    listed: WorkflowStore, model: list[Workflow], order_by: OrderBy, descending: bool
) -> None:
    for name, values in VALUES.items():
        for value in values:
            wanted = expected(model, order_by, descending, {name: value})
            for limit in (1, 3, COUNT) if value == values[0] else (7,):
                seen = await paged(listed, order_by, descending, limit, {name: value})
                assert seen == wanted, f"{name}={value!r}, pages of {limit}"


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(FILTERS, 2)))
async def test_each_pair_of_filters_is_met_together(
    listed: WorkflowStore, model: list[Workflow], one: str, two: str
) -> None:
    order_by = ORDERS[(len(one) + len(two)) % len(ORDERS)]
    for first, second in itertools.product(VALUES[one][:2], VALUES[two][:2]):
        filters = {one: first, two: second}
        wanted = expected(model, order_by, True, filters)

        assert await paged(listed, order_by, True, 7, filters) == wanted, filters
        assert await listed.count_workflows(**filters) == len(wanted), filters


questions = st.fixed_dictionaries(
    {}, optional={name: st.none() | st.sampled_from(values) for name, values in VALUES.items()}
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order_by=st.sampled_from(ORDERS),
    descending=st.booleans(),
    limit=st.integers(1, COUNT),
    offset=st.integers(0, COUNT),
    filters=questions,
)
async def test_any_question_is_answered_as_the_model_answers_it(
    listed: WorkflowStore,
    model: list[Workflow],
    order_by: OrderBy,
    descending: bool,
    limit: int,
    offset: int,
    filters: dict[str, Any],
) -> None:
    given_filters = {name: value for name, value in filters.items() if value is not None}
    wanted = expected(model, order_by, descending, given_filters)

    skipped = await listed.list_workflows(
        order_by=order_by, order_desc=descending, limit=limit, offset=offset, total=True, **filters
    )
    stream = listed.stream_workflows(order_by=order_by, order_desc=descending, prefetch=limit, include=(), **filters)

    assert await paged(listed, order_by, descending, limit, filters) == wanted
    assert [workflow.workflow_id for workflow in skipped.items] == wanted[offset : offset + limit]
    assert skipped.total == len(wanted)
    assert [workflow.workflow_id async for workflow in stream] == wanted


def test_a_filter_of_another_type_names_what_is_expected() -> None:
    wrong: dict[str, list[Any]] = {
        "a bool is expected": [1, "yes"],
        "a float is expected": [True, "80", float("nan"), 10**400],
        "a whole number of 64 bits is expected": [1.5, True, "1", 2**63],
        "at least one, without NUL": [[], 1, b"x", {"a": 1}, ["a", 2], "a\x00b", "\ud800", [["a"]]],
        "a datetime is expected": [
            "2025-01-01",
            START.date(),
            datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        ],
    }
    kinds = {
        "a bool is expected": ["layer1_success", "layer2_success", "layer3_success", "has_videos", "has_error"],
        "a float is expected": ["min_quality", "max_quality"],
        "a whole number of 64 bits is expected": ["min_views", "min_nodes", "max_nodes"],
        "at least one, without NUL": ["node_type", "node_type_all", "category", "tag", "author"],
        "a datetime is expected": ["extracted_after", "extracted_before", "updated_after"],
    }
    assert sorted(itertools.chain(*kinds.values())) == sorted(FILTERS)
    for message, names in kinds.items():
        for name, value in itertools.product(names, wrong[message]):
            with pytest.raises(InvalidField, match=f"^{name}: .*{message}"):
                check_filters({name: value})


async def test_an_unknown_filter_names_those_there_are(listed: WorkflowStore) -> None:
    for ask in (listed.list_workflows, listed.count_workflows):
        with pytest.raises(InvalidField, match=r"colour: is no filter; allowed: author, category, .*, updated_after"):
            await ask(colour="red")
    with pytest.raises(InvalidField, match="colour: is no filter"):
        listed.stream_workflows(colour="red")


async def test_misuse_of_a_stream_is_told_before_the_first_workflow(listed: WorkflowStore) -> None:
    with pytest.raises(InvalidField, match="prefetch: 1 to 1,000, not 0"):
        listed.stream_workflows(prefetch=0)
    with pytest.raises(InvalidField, match="'size' is no order; allowed: extracted_at"):
        listed.stream_workflows(order_by="size")
    with pytest.raises(InvalidField, match=r"include: 'layer1'.*allowed: content, metadata, structure, transcripts"):
        listed.stream_workflows(include={"layer1"})  # type: ignore[arg-type]


async def test_a_time_without_a_zone_is_utc_and_another_zone_is_the_same_moment(listed: WorkflowStore) -> None:
    moment = START + timedelta(hours=12)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-7)))

    first = await listed.list_workflows(limit=3, extracted_after=moment.replace(tzinfo=None))
    second = await listed.list_workflows(limit=3, extracted_after=elsewhere, after=first.next)

    assert await listed.count_workflows(extracted_after=moment) == await listed.count_workflows(
        extracted_after=moment.replace(tzinfo=None)
    )
    assert second.items
    assert all(workflow.extracted_at and workflow.extracted_at >= moment for workflow in second.items)


@pytest.mark.parametrize(
    "other", [{"tag": "y"}, {"tag": ["x", "y"]}, {"node_type": "x"}, {}, {"tag": "x", "min_views": 0}]
)
async def test_a_cursor_is_bound_to_its_filters(listed: WorkflowStore, other: dict[str, Any]) -> None:
    page = await listed.list_workflows(limit=2, tag="x")

    again = await listed.list_workflows(limit=2, after=page.next, tag=["x"], min_views=None)

    assert again.items
    with pytest.raises(InvalidCursor, match="another order or other filters"):
        await listed.list_workflows(limit=2, after=page.next, **other)
    for order in ({"order_by": "title"}, {"order_desc": False}):
        with pytest.raises(InvalidCursor, match="another order or other filters"):
            await listed.list_workflows(limit=2, after=page.next, tag="x", **order)


@pytest.mark.parametrize(
    ("order_by", "place"),
    [
        ("views", [2**63, "id"]),
        ("views", [True, "id"]),
        ("views", [1.5, "id"]),
        ("node_count", ["1", "id"]),
        ("quality_score", ["1", "id"]),
        ("title", [1, "id"]),
        ("title", ["a\x00", "id"]),
        ("title", ["a", "i\x00d"]),
        ("title", ["\ud800", "id"]),
        ("extracted_at", [None, "id"]),
        ("extracted_at", ["yesterday", "id"]),
        ("updated_at", [5, "id"]),
        ("updated_at", ["0001-01-01T00:00:00+09:00", "id"]),
        ("title", ["a", 5]),
    ],
)
async def test_a_forged_cursor_is_a_damaged_one(listed: WorkflowStore, order_by: OrderBy, place: list[Any]) -> None:
    raw = json.dumps([cursor.binding(order_by, True, {}), *place]).encode()
    forged = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    with pytest.raises(InvalidCursor, match="damaged"):
        await listed.list_workflows(order_by=order_by, after=forged)


async def test_an_offset_goes_without_a_cursor(listed: WorkflowStore) -> None:
    page = await listed.list_workflows(limit=2)

    with pytest.raises(InvalidField, match="offset: goes without a cursor"):
        await listed.list_workflows(limit=2, after=page.next, offset=2)


async def test_a_bound_on_the_order_s_own_key_asks_for_no_absent_keys(listed: WorkflowStore) -> None:
    assert not listing(
        order_by="views", order_desc=True, limit=5, offset=None, after=None, filters={"min_views": 1}
    ).can_lack_key
    assert listing(
        order_by="views", order_desc=True, limit=5, offset=None, after=None, filters={"min_nodes": 1}
    ).can_lack_key


async def test_a_streamed_workflow_is_the_one_that_get_returns(listed: WorkflowStore, model: list[Workflow]) -> None:
    by_id = {workflow.workflow_id: workflow for workflow in model}

    whole = [w async for w in listed.stream_workflows(include=("metadata", "structure", "content", "transcripts"))]
    usual = [w async for w in listed.stream_workflows()]
    page = await listed.list_workflows(limit=COUNT)

    assert len(whole) == COUNT
    for workflow in whole:
        assert workflow == by_id[workflow.workflow_id]
        assert workflow.transcripts == by_id[workflow.workflow_id].transcripts
    assert tuple(usual) == page.items
    assert usual[0].transcripts is None


async def test_a_listed_workflow_with_all_parts_is_the_one_that_get_returns(
    listed: WorkflowStore, model: list[Workflow]
) -> None:
    by_id = {workflow.workflow_id: workflow for workflow in model}

    page = await listed.list_workflows(limit=COUNT, include=PARTS)
    later = await listed.list_workflows(limit=7, offset=5, include={"transcripts"})
    nothing = await listed.list_workflows(tag="no such tag", include={"transcripts"})

    assert len(page.items) == COUNT
    assert any(workflow.transcripts for workflow in page.items)
    for workflow in page.items:
        assert workflow == by_id[workflow.workflow_id]
        assert workflow.transcripts == by_id[workflow.workflow_id].transcripts
    assert [workflow.transcripts for workflow in later.items] == [
        by_id[workflow.workflow_id].transcripts for workflow in later.items
    ]
    assert later.items[0].metadata is None
    assert nothing.items == ()


async def connections(session: Session) -> list[str]:
    """The states of the other connections to this database."""
    rows = await session.connection.fetch(
        "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    return sorted(row["state"] for row in rows)


async def none_is_held(store: WorkflowStore, session: Session) -> bool:
    """Whether all connections are back and idle, within ten seconds: the store's search may be at work beside."""
    for _ in range(200):
        if store.get_pool_statistics().checked_out == 0 and set(await connections(session)) <= {"idle"}:
            return True
        await asyncio.sleep(0.05)
    return False


async def filled(store: WorkflowStore, count: int = 25) -> None:
    await store.ingest(small_workflow(f"id{number:03}") for number in range(count))


async def test_a_closed_stream_holds_no_connection_and_no_transaction(store: WorkflowStore, session: Session) -> None:
    await filled(store)

    async with aclosing(store.stream_workflows(prefetch=2)) as stream:
        first = await anext(stream)
        during = await connections(session)

    assert first.workflow_id.startswith("id")
    assert "idle in transaction" in during
    assert await none_is_held(store, session)


async def test_a_loop_that_is_left_gives_its_connection_back(store: WorkflowStore, session: Session) -> None:
    await filled(store)

    async for workflow in store.stream_workflows(prefetch=2):
        if workflow.workflow_id == "id020":
            break

    assert await none_is_held(store, session)


async def test_an_error_in_the_loop_passes_and_gives_the_connection_back(
    store: WorkflowStore, session: Session
) -> None:
    await filled(store)

    with pytest.raises(ZeroDivisionError):
        async with aclosing(store.stream_workflows(prefetch=2)) as stream:
            async for _ in stream:
                raise ZeroDivisionError

    assert await none_is_held(store, session)


async def test_a_cancelled_stream_gives_its_connection_back(store: WorkflowStore, session: Session) -> None:
    await filled(store)
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in store.stream_workflows(prefetch=1):
            begun.set()
            await asyncio.sleep(0)

    for _ in range(10):
        begun.clear()
        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task

    assert await none_is_held(store, session)
    assert await store.count_workflows() == 25


async def test_a_stream_shows_one_state_of_the_store(store: WorkflowStore) -> None:
    await filled(store)

    seen = []
    async with aclosing(store.stream_workflows(order_by="title", order_desc=False, prefetch=3)) as stream:
        async for workflow in stream:
            seen.append(workflow.workflow_id)
            if len(seen) == 1:
                await store.delete_workflow("id020")
                await store.create_workflow(small_workflow("id0205"))
                await store.upsert_workflow(small_workflow("id019", metadata=Metadata(title="Z")))

    assert seen == [f"id{number:03}" for number in range(25)]


async def test_a_stream_inside_a_transaction_sees_its_writes_and_undoes_none(store: WorkflowStore) -> None:
    await filled(store, 5)

    async with store.transaction() as tx:
        await tx.create_workflow(small_workflow("mine"))
        seen = [workflow.workflow_id async for workflow in tx.stream_workflows(order_by="title", order_desc=False)]
        async with aclosing(tx.stream_workflows(prefetch=1)) as stream:
            await anext(stream)
            await tx.create_workflow(small_workflow("during"))

    assert "mine" in seen
    assert await store.get_workflow("during") is not None


async def test_a_stream_of_nothing_ends_at_once(store: WorkflowStore) -> None:
    assert [workflow async for workflow in store.stream_workflows()] == []


async def test_a_server_that_goes_away_is_a_typed_error_in_the_loop(store: WorkflowStore, session: Session) -> None:
    await filled(store)

    with pytest.raises(ServerUnavailable):
        async for _ in store.stream_workflows(prefetch=1):
            await session.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    assert await store.count_workflows() == 25


def declared(name: str) -> list[str]:
    """The types in a fragment's opening comment."""
    comment = " ".join(line[3:] for line in statement(name).splitlines() if line.startswith("--"))
    return re.findall(r"\$\d+ \w+ (\w+(?:\[\])?)", comment)


def forms(asked: Listing, *, absent: bool) -> dict[str, list[Fragment]]:
    """All statements a listing can become."""
    return {
        "skipping": asked.skipping(LISTED_PARTS, 6),
        "page": asked.page(LISTED_PARTS, 6, absent=absent),
        "walking": asked.walking(LISTED_PARTS, 6, absent=absent),
        "gathering": asked.gathering(LISTED_PARTS, 6, absent=absent),
        "ids": asked.ids(),
        "of_ids": asked.of_ids(["id"], LISTED_PARTS),
    }


@pytest.mark.parametrize("order_by", ORDERS)
@pytest.mark.parametrize("descending", [True, False])
async def test_each_statement_takes_what_its_fragments_declare(
    session: Session, order_by: OrderBy, descending: bool
) -> None:
    key = {"title": "T", "extracted_at": START.isoformat(), "updated_at": START.isoformat()}.get(order_by, 5)
    places: list[list[Any]] = [[key, "id"], *([[None, "id"]] if order_by in NULLABLE else [])]
    for place, name in itertools.product(places, FILTERS):
        filters = {name: VALUES[name][-1]}
        after = cursor.encode([cursor.binding(order_by, descending, check_filters(filters)), *place])
        asked = listing(order_by=order_by, order_desc=descending, limit=5, offset=None, after=after, filters=filters)
        for fragments in forms(asked, absent=place[0] is None).values():
            text, values = join(fragments)
            prepared = await session.connection.prepare(text)

            taken = [spelt(parameter) for parameter in prepared.get_parameters()]
            told = [kind for fragment, _ in fragments for kind in declared(fragment)]
            assert taken == told, text
            assert len(values) == len(taken)


def spelt(kind: Any) -> str:
    return f"{kind.name.removesuffix('[]').lstrip('_')}[]" if kind.kind == "array" else str(kind.name)


def test_each_fragment_of_a_listing_is_reachable() -> None:
    expected_names = {"select", "from", "count", "after_id_asc", "after_id_desc", "transcripts"}
    for (name, values), order_by, descending in itertools.product(VALUES.items(), ORDERS, (True, False)):
        for value in values:
            asked = listing(
                order_by=order_by, order_desc=descending, limit=1, offset=None, after=None, filters={name: value}
            )
            joined = [*forms(asked, absent=False).values(), *forms(asked, absent=True).values()]
            expected_names |= {fragment.rpartition("/")[2] for fragments in joined for fragment, _ in fragments}
        expected_names |= {f"after_{order_by}_{direction}" for direction in ("asc", "desc")}

    assert {path.stem for path in (folder("sql") / "workflow" / "list").glob("*.sql")} == expected_names
