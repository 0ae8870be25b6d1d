"""The plans of listings on 100,000 workflows: counts of buffers and rows, never times."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest
import pytest_asyncio

from workflow_store import Settings
from workflow_store.database import Database, HeldSession, Session
from workflow_store.queries import join
from workflow_store.queries.parameters import Limits
from workflow_store.repository import Repository
from workflow_store.repository.filters import FILTERS, Fragment, check_filters, filter_fragments
from workflow_store.repository.listing import ORDERS, WALKED, Listing, OrderBy, listing
from workflow_store.testing import TestServer

ROWS: Final = 100_000
LIMIT: Final = 100
ASKED: Final = LIMIT + 1  # one more tells whether there is a next page
START: Final = datetime(2025, 1, 1, tzinfo=UTC)

# Skewed as real ones are: few categories, authors and node types are everywhere, most are rare. Keys and parts are
# absent here and there, and some things go together: failures have no score, one node type came up lately.
DATA: Final = (
    f"""CREATE TEMP TABLE facts AS
    SELECT
        g AS place,
        (g::bigint * 7919 % 100003)::text AS workflow_id,
        timestamptz '2025-01-01 00:00+00' + g / 3 * interval '1 minute' AS extracted_at,
        random() < 0.992 AS has_metadata,
        random() < 0.992 AS has_structure,
        random() < 0.992 AS has_content,
        random() < 0.007 AS failed,
        random() AS r1, random() AS r2, random() AS r3, random() AS r4, random() AS r5, random() AS r6
    FROM generate_series(1, {ROWS}) AS g""",
    """INSERT INTO workflow_store.workflows (
        workflow_id, url, extracted_at, updated_at, quality_score, layer1_success, layer2_success, layer3_success,
        error_message, title_key, views, node_count
    )
    SELECT
        f.workflow_id,
        'https://n8n.io/workflows/' || f.workflow_id,
        f.extracted_at,
        f.extracted_at + f.r1 * interval '30 days',
        CASE WHEN NOT f.failed AND f.r3 < 0.9 THEN round((100 * sqrt(f.r4))::numeric, 1) END,
        f.has_metadata,
        f.has_structure,
        f.has_content,
        CASE WHEN f.failed THEN 'TimeoutError: the page did not load' END,
        CASE WHEN f.has_metadata AND f.r5 < 0.999 THEN 'Title ' || md5((f.place % 60000)::text) END,
        CASE WHEN f.has_metadata AND f.r6 < 0.97 THEN floor(exp(f.r6 * 12)) END,
        CASE
            WHEN NOT f.has_structure OR f.r5 < 0.05 THEN NULL
            WHEN f.place % 150 = 0 THEN 0
            ELSE floor(1 + 30 * f.r1 * f.r1 + 200 * f.r2 ^ 30)
        END
    FROM facts AS f""",
    """INSERT INTO workflow_store.workflow_metadata (
        workflow_id, title, description, author_name, views, categories, tags, raw_metadata, extracted_at
    )
    SELECT
        f.workflow_id,
        w.title_key,
        repeat('what it does ', 4),
        'author ' || floor(3000 * f.r3 ^ 3),
        w.views,
        jsonb_build_array('category ' || floor(80 * f.r4 ^ 3), 'category ' || floor(80 * f.r5 ^ 3)),
        CASE
            WHEN f.r2 < 0.8
                THEN jsonb_build_array('tag ' || floor(2000 * f.r1 ^ 3), 'tag ' || floor(2000 * f.r6 ^ 3))
        END,
        jsonb_build_object('filler', repeat(md5(f.place::text), 24)),
        f.extracted_at
    FROM facts AS f
    INNER JOIN workflow_store.workflows AS w ON w.workflow_id = f.workflow_id
    WHERE f.has_metadata
    ORDER BY f.place""",
    """INSERT INTO workflow_store.workflow_structure (
        workflow_id, node_count, node_types, fallback_used, workflow_json, extracted_at
    )
    SELECT
        f.workflow_id,
        w.node_count,
        jsonb_build_array(
            'node ' || floor(400 * f.r1 ^ 3), 'node ' || floor(400 * f.r3 ^ 3), 'node ' || floor(400 * f.r4 ^ 3),
            'node ' || floor(400 * f.r5 ^ 3), CASE WHEN f.place > 90000 THEN 'lately' ELSE 'before' END
        ),
        false,
        jsonb_build_object('filler', repeat(md5(f.place::text), 24)),
        f.extracted_at
    FROM facts AS f
    INNER JOIN workflow_store.workflows AS w ON w.workflow_id = f.workflow_id
    WHERE f.has_structure
    ORDER BY f.place""",
    """INSERT INTO workflow_store.workflow_content (
        workflow_id, explainer_text, has_videos, video_count, has_iframes, iframe_count, extracted_at
    )
    SELECT f.workflow_id, repeat('first do this ', 30), f.r6 < 0.008, 0, false, 0, f.extracted_at
    FROM facts AS f
    WHERE f.has_content
    ORDER BY f.place""",
    """INSERT INTO workflow_store.workflow_scrape (workflow_id, url, last_seen_at)
    SELECT f.workflow_id, 'https://n8n.io/workflows/' || f.workflow_id, f.extracted_at
    FROM facts AS f""",
)


def moment(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


# Values that fewer than one workflow in a hundred meets, but for the complements that can't be rare here, too.
RARE: Final[dict[str, Any]] = {
    "layer1_success": False,
    "layer2_success": False,
    "layer3_success": False,
    "min_quality": 99.6,
    "max_quality": 6.0,
    "node_type": "node 299",
    "node_type_all": ["node 30", "node 40"],
    "category": "category 79",
    "tag": "tag 30",
    "author": "author 77",
    "min_views": 110_000,
    "has_videos": True,
    "min_nodes": 170,
    "max_nodes": 0,
    "extracted_after": moment(33_200),
    "extracted_before": moment(150),
    "updated_after": moment(33_333 + 43_200 - 2_200),
    "has_error": True,
}
# Values that many meet, evenly or all of them at one end of an order.
COMMON: Final[dict[str, Any]] = {
    "layer1_success": True,
    "layer2_success": True,
    "layer3_success": True,
    "min_quality": 50,
    "max_quality": 50,
    "node_type": "lately",
    "node_type_all": ["before", "node 0"],
    "category": "category 0",
    "tag": "tag 0",
    "author": "author 0",
    "min_views": 100,
    "has_videos": False,
    "min_nodes": 10,
    "max_nodes": 10,
    "extracted_after": moment(5_000),
    "extracted_before": moment(20_000),
    "updated_after": moment(25_000),
    "has_error": False,
}
INDEXES: Final[dict[str, str]] = {
    "layer1_success": "workflows_layer1_success_idx",
    "layer2_success": "workflows_layer2_success_idx",
    "layer3_success": "workflows_layer3_success_idx",
    "min_quality": "workflows_quality_score_idx",
    "max_quality": "workflows_quality_score_idx",
    "node_type": "workflow_structure_node_types_idx",
    "node_type_all": "workflow_structure_node_types_idx",
    "category": "workflow_metadata_categories_idx",
    "tag": "workflow_metadata_tags_idx",
    "author": "workflow_metadata_author_idx",
    "min_views": "workflows_views_idx",
    "has_videos": "workflow_content_has_videos_idx",
    "min_nodes": "workflows_node_count_idx",
    "max_nodes": "workflows_node_count_idx",
    "extracted_after": "workflows_extracted_at_idx",
    "extracted_before": "workflows_extracted_at_idx",
    "updated_after": "workflows_updated_at_idx",
    "has_error": "workflows_has_error_idx",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What EXPLAIN counted: 8 kB pages touched, rows returned, and the nodes."""

    buffers: int
    rows: int
    nodes: list[dict[str, Any]] = field(repr=False)

    @property
    def kinds(self) -> set[str]:
        return {node["Node Type"] for node in self.nodes}

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    def sorted_rows(self) -> int:
        """The most rows that went into a sort."""
        sorts = [node for node in self.nodes if node["Node Type"] in ("Sort", "Incremental Sort")]
        return max((rows_of(child) for node in sorts for child in node["Plans"]), default=0)


def rows_of(node: dict[str, Any]) -> int:
    return round(float(node["Actual Rows"]) * int(node["Actual Loops"]))


def walked(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from walked(child)


@pytest.fixture(scope="module")
def filled(workflow_store_server: TestServer, workflow_store_template: str) -> Iterator[str]:
    """URI of a database of 100,000 workflows."""
    name = workflow_store_server.create_database(workflow_store_template)
    dsn = workflow_store_server.dsn_of(name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        # The rows fit each other as they are made; checking 400,000 foreign keys would take longer than all else.
        # No listing uses the indexes of the search, whose upkeep is dear.
        connection.execute("SET session_replication_role = replica")
        connection.execute("DROP INDEX workflow_store.workflow_metadata_short_document_idx")
        connection.execute("DROP INDEX workflow_store.workflows_title_trigrams_idx")
        connection.execute("SELECT setseed(0.5)")
        for text in DATA:
            connection.execute(text.encode())
        connection.execute("VACUUM ANALYZE")
    yield dsn
    workflow_store_server.drop_database(name)


@pytest_asyncio.fixture
async def session(filled: str) -> AsyncIterator[Session]:
    """A connection to that database."""
    database = await Database.open(filled, Settings.load(pool_min_size=0, pool_max_size=1))
    async with database.session() as held:
        yield held
    await database.close()


@pytest_asyncio.fixture
async def pages_of(session: Session) -> dict[str, int]:
    """The size of each table and index in pages."""
    rows = await session.connection.fetch(
        "SELECT relname, relpages FROM pg_class WHERE relnamespace = 'workflow_store'::regnamespace"
    )
    return {row["relname"]: row["relpages"] for row in rows}


async def explained(session: Session, fragments: list[Fragment]) -> Plan:
    text, values = join(fragments)
    # Parameters of EXPLAIN are planned as the values they are, like those of a statement that is run once.
    answer = await session.connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {text}", *values)
    root = json.loads(answer)[0]["Plan"]
    return Plan(root["Shared Hit Blocks"] + root["Shared Read Blocks"], rows_of(root), list(walked(root)))


def asked(order_by: OrderBy, descending: bool, filters: dict[str, Any], after: str | None = None) -> Listing:
    return listing(order_by=order_by, order_desc=descending, limit=LIMIT, offset=None, after=after, filters=filters)


def branches(wanted: Listing) -> list[bool]:
    """Whether a page looks among those that have the key, and then among those that lack it."""
    return [False, True] if wanted.can_lack_key else [False]


EVERY_ORDER: Final = list(itertools.product(ORDERS, (True, False)))


async def test_the_rare_values_are_rare(session: Session) -> None:
    for name, value in RARE.items():
        text, values = join([("workflow/list/count", ()), *filter_fragments(check_filters({name: value}))])
        count = await session.connection.fetchval(text, *values)
        assert 0 < count < ROWS / 100, f"{name}={value!r} is met by {count}"


@pytest.mark.parametrize(("order_by", "descending"), EVERY_ORDER)
async def test_each_order_comes_out_of_its_index(session: Session, order_by: OrderBy, descending: bool) -> None:
    wanted = asked(order_by, descending, {})
    for absent in branches(wanted):
        plan = await explained(session, wanted.page({"metadata"}, ASKED, absent=absent))

        key = "title_key" if order_by == "title" else order_by
        assert plan.rows == ASKED
        assert f"workflows_{key}_idx" in plan.indexes
        assert plan.sorted_rows() <= ASKED
        assert "Seq Scan" not in plan.kinds
        # Three pages of an index and one of a table, for the workflow, its bookkeeping and its metadata.
        assert plan.buffers <= 12 * ASKED + 50


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_that_few_meet_uses_its_index(session: Session, name: str) -> None:
    for order_by, descending in EVERY_ORDER:
        wanted = asked(order_by, descending, {name: RARE[name]})

        plan = await explained(session, wanted.gathering({"metadata"}, ASKED, absent=False))

        assert INDEXES[name] in plan.indexes, f"by {order_by}: {plan.indexes}"
    counted = await explained(
        session, [("workflow/list/count", ()), *filter_fragments(check_filters({name: RARE[name]}))]
    )
    assert INDEXES[name] in counted.indexes


def walk_bound() -> int:
    """The most pages of looking at the next rows of an order: the row and, by its key, a part; then the page's rows."""
    return WALKED * ASKED * 5 + 12 * ASKED + 50


def gather_bound(name: str, pages_of: dict[str, int]) -> int:
    """The most pages of gathering: each of the tables and indexes concerned once, and the page's rows."""
    table = INDEXES[name].partition("_idx")[0]
    part = next((t for t in ("workflow_metadata", "workflow_structure", "workflow_content") if table.startswith(t)), "")
    concerned = {"workflows", "workflows_pkey", INDEXES[name], part, f"{part}_pkey"}
    keys = sum(size for relation, size in pages_of.items() if relation.startswith("workflows_") and "_idx" in relation)
    return sum(pages_of.get(relation, 0) for relation in concerned) + keys + 12 * ASKED + 50


@pytest.mark.parametrize("values", [RARE, COMMON], ids=["rare", "common"])
@pytest.mark.parametrize("name", FILTERS)
async def test_any_filter_with_any_order_reads_a_bounded_number_of_pages(
    session: Session, pages_of: dict[str, int], name: str, values: dict[str, Any]
) -> None:
    for order_by, descending in EVERY_ORDER:
        wanted = asked(order_by, descending, {name: values[name]})
        for absent in branches(wanted):
            walk = await explained(session, wanted.walking({"metadata"}, ASKED, absent=absent))
            told = f"{name}={values[name]!r} by {order_by}, descending={descending}, absent={absent}"

            assert walk.buffers <= walk_bound(), told
            assert walk.sorted_rows() <= WALKED * ASKED, told
            if walk.rows < ASKED:
                gather = await explained(session, wanted.gathering({"metadata"}, ASKED, absent=absent))
                assert gather.buffers <= gather_bound(name, pages_of), told


async def test_a_filter_that_one_in_ten_meets_is_answered_by_the_walk(session: Session) -> None:
    for name, value in (("layer1_success", True), ("category", "category 0"), ("min_nodes", 10), ("tag", "tag 0")):
        wanted = asked("extracted_at", True, {name: value})

        assert (await explained(session, wanted.walking((), ASKED, absent=False))).rows == ASKED


@pytest.mark.parametrize("filters", [{}, {"category": "category 0"}, {"min_quality": 20}], ids=str)
@pytest.mark.parametrize(("order_by", "descending"), EVERY_ORDER)
async def test_page_one_thousand_costs_what_page_one_costs(
    session: Session, order_by: OrderBy, descending: bool, filters: dict[str, Any]
) -> None:
    # Pages of 30 make a thousandth page, half-way, of what the rarest of these filters leaves.
    size = 30
    store = Repository(HeldSession(session), Limits(1, 1))
    behind = size * 999 if not filters else size * 500
    first = await store.list_workflows(order_by=order_by, order_desc=descending, limit=1, **filters)
    before = await store.list_workflows(
        order_by=order_by, order_desc=descending, limit=1, offset=behind - 1, include=(), **filters
    )
    assert first.items[0] != before.items[0]
    bound = asked(order_by, descending, filters)
    far = asked(order_by, descending, filters, after=before.next)
    costs = []
    for page in (bound, far):
        form = page.walking if filters else page.page
        costs.append(await explained(session, form({"metadata"}, size + 1, absent=False)))

    one, thousand = costs
    assert one.rows == thousand.rows == size + 1
    # An index's depth more, and the luck of how many rows of the order are looked at.
    assert thousand.buffers <= one.buffers * (1 if not filters else 2) + 4 * (size + 1)


async def test_no_page_is_planned_for_other_values_than_its_own(session: Session) -> None:
    store = Repository(HeldSession(session), Limits(1, 1))

    for value in ("tag 30", "tag 0") * 6:
        for order_by in ("views", "extracted_at"):
            await store.list_workflows(order_by=order_by, tag=value, limit=LIMIT, total=True)
        await store.list_workflows(order_by="views", limit=LIMIT)
        await store.list_workflows(order_by="views", min_quality=float(value.removeprefix("tag ")), limit=LIMIT)

    rows = await session.connection.fetch(
        "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements"
        " WHERE statement LIKE '%workflow_store.workflows%' AND statement NOT LIKE '%pg_prepared_statements%'"
    )
    assert sum(row["custom_plans"] for row in rows) >= 12
    assert [row["statement"] for row in rows if row["generic_plans"]] == []


STREAMED: Final = """
import asyncio, pathlib, resource, sys
from workflow_store import Settings, WorkflowStore

def peak():
    # On Linux ru_maxrss begins with what the parent had when it forked; VmHWM is this program's own.
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    settings = Settings.load(dsn=sys.argv[1], pool_min_size=1, pool_max_size=2)
    async with WorkflowStore.open(settings) as store:
        count = 0
        async for workflow in store.stream_workflows(prefetch=500):
            count += 1
            if count == 5_000:
                early = peak()
        print(count, early, peak())

asyncio.run(main())
"""


def test_a_stream_of_100_000_workflows_needs_no_more_memory_than_one_of_5_000(filled: str) -> None:
    done = subprocess.run([sys.executable, "-c", STREAMED, filled], capture_output=True, text=True, check=True)

    count, early, peak = (int(number) for number in done.stdout.split())
    # Linux counts kilobytes, macOS bytes.
    megabyte = 1024 if sys.platform == "linux" else 1024**2
    assert count == ROWS
    # Kept workflows would take more than 300 MB. What 500 at a time leave behind is the allocator's slack, and what a
    # measurement of coverage keeps beside it.
    assert peak - early < 32 * megabyte
    assert peak < 200 * megabyte
