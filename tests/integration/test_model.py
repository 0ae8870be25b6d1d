"""Whatever is asked of a store, in whatever order, it answers as a dict does that folds the puts.

A failure shows the seed; ``WORKFLOW_STORE_TEST_SEED`` repeats a run, ``WORKFLOW_STORE_TEST_EXAMPLES`` makes it longer.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, get_args

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.integration.model import (
    BAD,
    CHANGED_PARTS,
    CHANGED_ROW,
    FLAGS,
    ID,
    IDS,
    SEED,
    TEXTS,
    WORKFLOW,
    Model,
    any_of,
    assert_same,
    folded,
)
from tests.integration.queue_model import (
    FUTURE,
    LATER,
    PAST,
    SOON,
    Claim,
    Complete,
    Enqueue,
    Fail,
    Puts,
    assert_same_queue,
)
from tests.records import full_workflow
from workflow_store import (
    AlreadyExists,
    InvalidRecord,
    Metadata,
    Page,
    Rejected,
    Settings,
    Structure,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Session
from workflow_store.importers import read_path
from workflow_store.models.report import Outcome
from workflow_store.models.workflow import PARTS, Part
from workflow_store.repository.listing import NULLABLE, OrderBy
from workflow_store.repository.search import SearchField

EXAMPLES: Final = int(os.environ.get("WORKFLOW_STORE_TEST_EXAMPLES") or 100)
# Each stands in a text, a name or a document of some records, and is looked for with full text.
WORDS: Final = ("zebra", "walrus", "otter", "badger", "lynx")


@dataclass(frozen=True)
class Create:
    workflow: Workflow

    async def run(self, store: WorkflowStore, model: Model) -> None:
        if self.workflow.workflow_id in model:
            with pytest.raises(AlreadyExists):
                await store.create_workflow(self.workflow)
        else:
            await store.create_workflow(self.workflow)
            model.put(self.workflow)


@dataclass(frozen=True)
class Upsert:
    workflow: Workflow
    replace: bool
    touch: bool

    async def run(self, store: WorkflowStore, model: Model) -> None:
        outcome = await store.upsert_workflow(self.workflow, replace=self.replace, touch=self.touch)
        assert outcome == model.put(self.workflow, replace=self.replace, touch=self.touch)


@dataclass(frozen=True)
class Refused:
    workflow: Workflow | Rejected

    async def run(self, store: WorkflowStore, model: Model) -> None:
        if isinstance(self.workflow, Workflow):
            with pytest.raises(InvalidRecord):
                await store.create_workflow(self.workflow)
            with pytest.raises(InvalidRecord):
                await store.upsert_workflow(self.workflow)


@dataclass(frozen=True)
class Update:
    workflow_id: str
    values: dict[str, Any]
    parts: dict[str, Any]

    async def run(self, store: WorkflowStore, model: Model) -> None:
        after = await store.update_workflow(self.workflow_id, **self.values, **self.parts)
        if self.workflow_id not in model:
            assert after is None
            return
        model.change(self.workflow_id, self.values, self.parts)
        assert after is not None
        assert_same(after, model[self.workflow_id])


@dataclass(frozen=True)
class Delete:
    workflow_id: str

    async def run(self, store: WorkflowStore, model: Model) -> None:
        assert await store.delete_workflow(self.workflow_id) == model.delete(self.workflow_id)


@dataclass(frozen=True)
class Ingest:
    items: list[Workflow | Rejected]
    replace: bool
    touch: bool
    whole: bool
    lines: bool

    async def run(self, store: WorkflowStore, model: Model) -> None:
        good = [item for item in self.items if isinstance(item, Workflow) and not any(item is bad for bad in BAD)]
        records = folded(good, replace=self.replace) if self.whole else good

        # An empty file is something else.
        is_read = self.lines and bool(good)
        with _file_of(good) if is_read else nullcontext(self.items) as source:
            report = await store.ingest(
                source, replace=self.replace, touch=self.touch, batch_size=1_000 if self.whole else 1
            )

        outcomes = [model.put(record, replace=self.replace, touch=self.touch) for record in records]
        counted = (report.inserted, report.updated, report.unchanged)
        assert counted == tuple(outcomes.count(outcome) for outcome in get_args(Outcome))
        bad = 0 if is_read else len(self.items) - len(good)
        assert (report.rejected, report.repeated) == (bad, len(good) - len(records))


@contextmanager
def _file_of(workflows: Iterable[Workflow]) -> Iterator[Iterable[Workflow | Rejected]]:
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(b"".join(one.to_json().raw + b"\n" for one in workflows))
        file.flush()
        yield read_path(file.name)


@dataclass(frozen=True)
class Get:
    workflow_id: str
    include: frozenset[Part]

    async def run(self, store: WorkflowStore, model: Model) -> None:
        found, expected = await store.get_workflow(self.workflow_id, include=self.include), model.get(self.workflow_id)
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            assert_same(found, expected.model_copy(update=dict.fromkeys(PARTS - self.include)))


FILTERS: Final[tuple[tuple[dict[str, Any], Callable[[Workflow], bool]], ...]] = (
    ({}, lambda workflow: True),
    ({"layer1_success": False}, lambda workflow: workflow.metadata is None),
    ({"layer2_success": True}, lambda workflow: workflow.structure is not None),
    ({"has_error": True}, lambda workflow: workflow.error_message is not None),
    ({"min_quality": 0.0}, lambda workflow: workflow.quality_score is not None and workflow.quality_score >= 0),
    ({"min_views": 1}, lambda workflow: bool(workflow.metadata and (workflow.metadata.views or 0) >= 1)),
    (
        {"max_nodes": 0},
        lambda workflow: bool(workflow.structure and (n := workflow.structure.node_count) is not None and n <= 0),
    ),
    (
        {"tag": ["zebra", ""]},
        lambda workflow: bool(workflow.metadata and {"zebra", ""} & set(workflow.metadata.tags or ())),
    ),
)


@dataclass(frozen=True)
class Listing:
    order_by: OrderBy
    descending: bool
    limit: int
    filtered: int
    by_offset: bool

    async def run(self, store: WorkflowStore, model: Model) -> None:
        filters, wanted = FILTERS[self.filtered]
        stored = await store.get_workflows(model)
        expected = self.in_order([workflow for workflow in stored.values() if wanted(workflow)])
        options: dict[str, Any] = {"order_by": self.order_by, "order_desc": self.descending, "limit": self.limit}

        pages: list[Page[Workflow]] = []
        after: str | None = None
        while True:
            behind = {"offset": len(pages) * self.limit} if self.by_offset else {"after": after}
            page = await store.list_workflows(
                **options, **filters, **behind, include=PARTS - {"transcripts"}, total=True
            )
            pages.append(page)
            if (after := page.next) is None:
                break

        found = [item for page in pages for item in page.items]
        assert [item.workflow_id for item in found] == [workflow.workflow_id for workflow in expected]
        assert {page.total for page in pages} == {len(expected)} == {await store.count_workflows(**filters)}
        for item in found:
            assert_same(item, model[item.workflow_id].model_copy(update={"transcripts": None}))

    def in_order(self, workflows: list[Workflow]) -> list[Workflow]:
        keyed = [(self.key(workflow), workflow.workflow_id.encode(), workflow) for workflow in workflows]
        present = sorted(
            (entry for entry in keyed if entry[0] is not None), key=lambda e: e[:2], reverse=self.descending
        )
        absent = sorted((entry for entry in keyed if entry[0] is None), key=lambda e: e[1], reverse=self.descending)
        assert not absent or self.order_by in NULLABLE
        return [workflow for *_, workflow in present + absent]

    def key(self, workflow: Workflow) -> Any:
        if self.order_by == "title":
            title = workflow.metadata.title if workflow.metadata else None
            return None if title is None else title[:128].encode()
        if self.order_by == "views":
            return workflow.metadata and workflow.metadata.views
        if self.order_by == "node_count":
            return workflow.structure and workflow.structure.node_count
        return getattr(workflow, self.order_by)


@dataclass(frozen=True)
class Substring:
    query: str
    search_fields: frozenset[SearchField]

    async def run(self, store: WorkflowStore, model: Model) -> None:
        found = await store.search_workflows(
            self.query, mode="substring", search_fields=self.search_fields, limit=3, total=True
        )

        expected = sorted(
            (
                i
                for i, workflow in model.items()
                if any(self.query.lower() in text.lower() for text in self.texts(workflow))
            ),
            key=str.encode,
        )
        assert [hit.workflow.workflow_id for hit in found.items] == expected[:3]
        assert found.total == len(expected)

    def texts(self, workflow: Workflow) -> list[str]:
        return [getattr(workflow.metadata, name, None) or "" for name in self.search_fields]


@dataclass(frozen=True)
class Word:
    word: str

    async def run(self, store: WorkflowStore, model: Model) -> None:
        await store.refresh_search()

        found = await store.search_workflows(self.word)

        expected = {i for i, workflow in model.items() if any(self.word in text.lower() for text in texts_of(workflow))}
        assert {hit.workflow.workflow_id for hit in found.items} == expected
        assert found.total == len(expected)


def texts_of(workflow: Workflow) -> Iterable[str]:
    """What full text looks into."""
    page, structure = workflow.metadata or Metadata(), workflow.structure or Structure()
    yield from filter(None, (page.title, page.description, page.use_case))
    yield from (*(page.categories or ()), *(page.tags or ()), *(structure.node_types or ()))
    document = structure.workflow_json and structure.workflow_json.value
    if isinstance(document, dict):
        yield from (node["name"] for node in document.get("nodes", ()))
    yield (workflow.content and workflow.content.explainer_text) or ""
    yield from (item.transcript_text or "" for item in workflow.transcripts or ())


@dataclass(frozen=True)
class Count:
    async def run(self, store: WorkflowStore, model: Model) -> None:
        found = await store.get_statistics(detailed=True)

        all_of = list(model.values())
        assert found.total_workflows == len(all_of)
        for number, part in enumerate(FLAGS.values(), 1):
            count = sum(getattr(workflow, part) is not None for workflow in all_of)
            assert getattr(found, f"layer{number}_success_count") == count
            rate = getattr(found, f"layer{number}_success_rate")
            assert rate == pytest.approx(100 * count / len(all_of) if all_of else 0.0, abs=0.01)
        for average, name in (
            (found.avg_quality_score, "quality_score"),
            (found.avg_processing_time, "processing_time"),
        ):
            values = [value for workflow in all_of if (value := getattr(workflow, name)) is not None]
            # The server adds in an order of its own, and the values reach from 1e15 to a hundredth.
            assert average == (pytest.approx(sum(values) / len(values), rel=1e-9, abs=0.01) if values else None)
        categories = [(workflow.metadata or Metadata()).categories or () for workflow in all_of]
        names = [name for listed in categories for name in {name[:200] for name in listed}]
        assert found.categories == {name: names.count(name) for name in names}


WRITES: Final = (
    st.builds(Upsert, WORKFLOW, replace=st.booleans(), touch=st.booleans()),
    st.builds(Update, ID, st.just({}) | CHANGED_ROW, st.fixed_dictionaries({}, optional=CHANGED_PARTS)),
    st.builds(
        Ingest,
        st.lists(WORKFLOW | any_of(*BAD), min_size=1, max_size=5),
        replace=st.booleans(),
        touch=st.booleans(),
        whole=st.booleans(),
        lines=st.booleans(),
    ),
)
QUEUE: Final = (
    st.builds(Enqueue, st.lists(ID, min_size=1, max_size=4), any_of("u", "v"), any_of(None, PAST, FUTURE)),
    st.builds(Claim, st.integers(1, 3)),
    st.builds(Fail, ID, any_of(*TEXTS), any_of("lease", "nothing", "another"), any_of(None, SOON, LATER)),
    st.builds(Complete, ID, any_of(None, PAST, FUTURE)),
)
OTHERS: Final = (
    st.builds(Create, WORKFLOW),
    st.builds(
        Puts,
        st.lists(WORKFLOW | any_of(*BAD), min_size=1, max_size=6),
        replace=st.booleans(),
        touch=st.booleans(),
        bad=st.just(BAD),
    ),
    st.builds(Delete, ID),
    st.builds(Refused, any_of(*BAD)),
    st.builds(Get, ID, st.frozensets(any_of(*sorted(PARTS)))),
    st.builds(
        Listing,
        order_by=any_of(*get_args(OrderBy)),
        descending=st.booleans(),
        limit=st.integers(1, 3),
        filtered=st.integers(0, len(FILTERS) - 1),
        by_offset=st.booleans(),
    ),
    st.builds(
        Substring,
        any_of("%", "_", "\\", "a", "Z", "'", '"', "агент", "\u2028b", "walrus", "yyy", "\u0301"),
        st.frozensets(any_of(*get_args(SearchField)), min_size=1),
    ),
    st.builds(Word, any_of(*WORDS)),
)
# A failure is reduced towards the first of them.
OPERATION = st.sampled_from((st.just(Count()), *WRITES * 4, *QUEUE * 2, *OTHERS)).flatmap(lambda operations: operations)
# Asked at the end of every sequence.
QUESTIONS: Final[tuple[Word | Listing | Count, ...]] = (
    *(Word(word) for word in WORDS),
    *(Listing(order, descending, 2, 0, False) for order in get_args(OrderBy) for descending in (True, False)),
    Count(),
)
# The first statement takes the parts and the search documents along.
EMPTY: Final = (
    "DELETE FROM workflow_store.workflows",
    "DELETE FROM workflow_store.workflow_scrape",
    "DELETE FROM workflow_store.workflow_search_pending",
    "DELETE FROM workflow_store.ingest_quarantine",
)


@pytest_asyncio.fixture
async def quiet(database_dsn: str) -> AsyncIterator[WorkflowStore]:
    """A store that makes search documents when it is told to."""
    options = Settings.load(dsn=database_dsn, pool_min_size=1, pool_max_size=4, search_refresh="manual")
    async with WorkflowStore.open(options) as store:
        yield store


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    # The database is made once and emptied before each example.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations=st.lists(OPERATION, min_size=8, max_size=30))
async def test_any_sequence_of_calls_leaves_the_store_equal_to_a_dict(
    quiet: WorkflowStore, session: Session, operations: list[Any]
) -> None:
    note(f"WORKFLOW_STORE_TEST_SEED={SEED}")
    model = Model()
    for statement in EMPTY:
        await session.connection.execute(statement)

    for number, operation in enumerate(operations):
        await operation.run(quiet, model)
        if number % 2:
            await quiet.refresh_search()

        stored = await quiet.get_workflows(IDS)
        assert stored.keys() == model.keys()
        for workflow_id, workflow in stored.items():
            assert_same(workflow, model[workflow_id])
        await assert_same_queue(quiet, model)

    for question in QUESTIONS:
        await question.run(quiet, model)


async def test_an_ingest_that_replaces_keeps_the_last_count_that_was_given(store: WorkflowStore) -> None:
    counted, uncounted = full_workflow(retry_count=3), full_workflow()

    await store.ingest([counted, uncounted], replace=True)

    found = await store.get_workflow("2462")
    assert found is not None
    # As two upserts with replace=True leave it: None is no count.
    assert found.retry_count == 3


@pytest.mark.parametrize(
    "moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)], ids=["first", "last"]
)
def test_the_moments_the_driver_takes_for_infinity_are_refused(moment: datetime) -> None:
    with pytest.raises(ValidationError, match="infinity"):
        Workflow(workflow_id="1", url="u", extracted_at=moment)


async def test_the_largest_scores_leave_statistics_working(store: WorkflowStore) -> None:
    with pytest.raises(ValidationError, match="quality_score"):
        Workflow(workflow_id="1", url="u", quality_score=1.7e308)
    for number in range(2):
        await store.create_workflow(Workflow(workflow_id=str(number), url="u", quality_score=1e300))

    assert (await store.get_statistics()).total_workflows == 2


@pytest.mark.parametrize("order_by", ["views", "node_count"])
async def test_a_page_behind_the_smallest_count_is_reached(store: WorkflowStore, order_by: OrderBy) -> None:
    for workflow_id in ("1", "2"):
        await store.create_workflow(
            full_workflow(workflow_id, metadata=Metadata(views=-(2**63)), structure=Structure(node_count=-(2**63)))
        )
    first = await store.list_workflows(order_by=order_by, limit=1)

    second = await store.list_workflows(order_by=order_by, limit=1, after=first.next)

    assert [workflow.workflow_id for workflow in first.items + second.items] == ["2", "1"]
