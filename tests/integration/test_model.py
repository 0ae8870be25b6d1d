"""Whatever is asked of a store, in whatever order, it answers as a dict does that folds the puts.

The seed is printed; ``WORKFLOW_STORE_TEST_SEED`` repeats a run, ``WORKFLOW_STORE_TEST_EXAMPLES`` makes it longer.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, get_args

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from workflow_store import (
    AlreadyExists,
    Content,
    InvalidRecord,
    Json,
    Metadata,
    Rejected,
    Settings,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Session
from workflow_store.models.report import Outcome
from workflow_store.models.workflow import PARTS, Part
from workflow_store.repository.listing import NULLABLE, OrderBy
from workflow_store.repository.search import SearchField

SEED: Final = int(os.environ.get("WORKFLOW_STORE_TEST_SEED") or (7 if os.environ.get("CI") else random.getrandbits(32)))
EXAMPLES: Final = int(os.environ.get("WORKFLOW_STORE_TEST_EXAMPLES") or 80)
FLAGS: Final = {"layer1_success": "metadata", "layer2_success": "structure", "layer3_success": "content"}
# Each stands in a text, a name or a document of some records, and is looked for with full text.
WORDS: Final = ("zebra", "walrus", "otter", "badger", "lynx")

# --- what is drawn: few values, so that records often agree, and nasty ones ---

IDS: Final = ("1", "2", "ж/🤖 %", "x" * 1_024)
TEXTS: Final = (
    "", " ", "zebra", "Zebra 50% off", "a_b\\c walrus", "агент 🤖", "e\u0301", "badger\u2028\r\n", "lynx " + "y" * 200,
    "'; DROP TABLE workflows; --", '"otter" | & ! <-> :*', "\ufeff\u202etfel", "\\u0000",
)  # fmt: skip
DOCUMENTS: Final = tuple(
    map(
        Json.parse,
        (
            "1.0", "1.00", "1e2", "100", "-0", "0", "1e400", "null", "true", "{}", "[]", '"\\u00e9"', '"é"',
            "12345678901234567890123456789.000000000000000000001", '{"a":1,"b":[1.10]}', '{ "b" : [1.10],"a" : 1 }',
            '{"a":1,"a":2}', '{"a":2}', '{"":null,"\\\\u0000":"\\ud83e\\udd16"}', '{"nodes":[{"name":"otter"}]}',
        ),
    )
)  # fmt: skip
COUNTS: Final = (0, 1, -1, 3_000_000_000, 2**63 - 1, -(2**63))
NUMBERS: Final = (0.0, -0.0, 0.1, 85.3, -1e15, 5e-324)
MOMENTS: Final = (
    datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
)


def any_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


TEXT = any_of(None, *TEXTS)
DOCUMENT = any_of(None, *DOCUMENTS)
COUNT = any_of(None, *COUNTS)
MOMENT = any_of(None, *MOMENTS)
NAMES = st.none() | st.lists(any_of(*TEXTS), max_size=2).map(tuple)
FIELDS: Final[dict[str, dict[str, st.SearchStrategy[Any]]]] = {
    "metadata": {
        **dict.fromkeys(("title", "description", "use_case", "author_name", "author_url"), TEXT),
        **dict.fromkeys(("views", "shares"), COUNT),
        **dict.fromkeys(("categories", "tags"), NAMES),
        **dict.fromkeys(("workflow_created_at", "workflow_updated_at", "extracted_at"), MOMENT),
        "raw_metadata": DOCUMENT,
    },
    "structure": {
        **dict.fromkeys(("node_count", "connection_count"), COUNT),
        "node_types": NAMES,
        "extraction_type": TEXT,
        "fallback_used": st.booleans(),
        "workflow_json": DOCUMENT,
        "extracted_at": MOMENT,
    },
    "content": {
        **dict.fromkeys(("explainer_text", "explainer_html", "setup_instructions", "use_instructions"), TEXT),
        **dict.fromkeys(("has_videos", "has_iframes"), st.booleans()),
        **dict.fromkeys(("video_count", "iframe_count"), any_of(*COUNTS)),
        "raw_content": DOCUMENT,
        "extracted_at": MOMENT,
    },
}
SOME_FIELDS: Final = {part: st.fixed_dictionaries({}, optional=names) for part, names in FIELDS.items()}
TRANSCRIPT = st.fixed_dictionaries(
    {"video_url": any_of(*TEXTS)},
    optional={
        **dict.fromkeys(("video_id", "platform", "transcript_text", "language"), TEXT),
        "transcript_json": DOCUMENT,
        "duration": any_of(None, *NUMBERS),
        "extracted_at": MOMENT,
    },
)
TRANSCRIPTS = st.lists(TRANSCRIPT.map(lambda values: Transcript(**values)), max_size=2).map(tuple)
ROW: Final[dict[str, st.SearchStrategy[Any]]] = {
    "url": any_of("u", "https://n8n.io/ж"),
    "extracted_at": MOMENT,
    "processing_time": any_of(None, *NUMBERS),
    "quality_score": any_of(None, *NUMBERS),
    "error_message": any_of(None, "", "timed out 3"),
    "retry_count": any_of(None, 0, 3, 2**63 - 1),
}
ID = any_of(*IDS)
WORKFLOW = st.fixed_dictionaries(
    {"workflow_id": ID, "url": ROW["url"]},
    optional={
        **{name: values for name, values in ROW.items() if name != "url"},
        "metadata": SOME_FIELDS["metadata"].map(lambda values: Metadata(**values)),
        "structure": SOME_FIELDS["structure"].map(lambda values: Structure(**values)),
        "content": SOME_FIELDS["content"].map(lambda values: Content(**values)),
        "transcripts": TRANSCRIPTS,
    },
).map(lambda values: Workflow(**values))
BAD: Final[tuple[Workflow | Rejected, ...]] = (
    Workflow(workflow_id="1", url="nul \x00"),
    Workflow(workflow_id="2", url="u", metadata=Metadata(title="half \ud800")),
    Workflow(workflow_id="1", url="u", structure=Structure(workflow_json=Json.trusted(b'["\\u0000"]'))),
    Workflow(workflow_id="\x00", url="u"),
    Rejected(source="page 3", reason="empty", raw=b"<html>"),
)
# None in these is refused by an update.
NEVER_NONE: Final = ("extracted_at", "retry_count")

# --- what is expected ---


def content_of(value: Any) -> Any:
    """What is compared of a part: its values without the stamp, documents as PostgreSQL normalises them."""
    if isinstance(value, tuple):
        return [content_of(item) for item in value]
    if isinstance(value, Json):
        return spelling(json.loads(value.raw, parse_int=Decimal, parse_float=Decimal))
    if isinstance(value, Metadata | Structure | Content | Transcript):
        return {name: content_of(getattr(value, name)) for name in type(value).model_fields if name != "extracted_at"}
    return value


def spelling(value: Any) -> Any:
    if isinstance(value, Decimal):
        return "number", format(abs(value) if value == 0 else value, "f")
    if isinstance(value, dict):
        return {key: spelling(member) for key, member in value.items()}
    return [spelling(item) for item in value] if isinstance(value, list) else (type(value).__name__, value)


def raw_of(part: Any) -> str:
    """The same down to the spelling, which is all that can be compared before anything is sent."""
    parts = part if isinstance(part, tuple) else (part,)
    return repr([[(n, v.raw if isinstance(v, Json) else v) for n, v in one if n != "extracted_at"] for one in parts])


def stamped(workflow: Workflow) -> Workflow:
    """The workflow with the parts' own stamps; None stands for the time of the call."""

    def stamp(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(map(stamp, part))
        return part and part.model_copy(update={"extracted_at": part.extracted_at or workflow.extracted_at})

    return workflow.model_copy(update={part: stamp(getattr(workflow, part)) for part in PARTS})


def merged(stored: Workflow, scraped: Workflow, content: Callable[[Any], Any], *, replace: bool) -> Workflow | None:
    """What is stored after another scrape; None where it brings nothing new but, perhaps, a count of retries."""
    kept = {part: getattr(scraped, part) for part in PARTS}
    for part, given_part in kept.items():
        old = getattr(stored, part)
        if (given_part is None and not replace) or (
            given_part is not None and old is not None and content(old) == content(given_part)
        ):
            kept[part] = old
    measured = {
        name: getattr(stored if getattr(scraped, name) is None and not replace else scraped, name)
        for name in ("quality_score", "processing_time")
    }
    told = (stored.url, stored.error_message, stored.quality_score)
    if all(kept[part] is getattr(stored, part) for part in PARTS) and told == (
        scraped.url,
        scraped.error_message,
        measured["quality_score"],
    ):
        return None
    retries = stored.retry_count if scraped.retry_count is None else scraped.retry_count
    flags = {flag: kept[part] is not None for flag, part in FLAGS.items()}
    return scraped.model_copy(update={**kept, **measured, **flags, "retry_count": retries})


def rows_kept(old: tuple[Transcript, ...] | None, new: tuple[Transcript, ...] | None) -> tuple[Transcript, ...] | None:
    """A list of transcripts is compared row by row: one that is the same keeps its stamp."""
    if new is None:
        return None
    same = [content_of(one) == content_of(other) for one, other in zip(old or (), new, strict=False)]
    return tuple((old or ())[place] if place < len(same) and same[place] else item for place, item in enumerate(new))


class Model(dict[str, Workflow]):
    """A store in memory."""

    def put(self, workflow: Workflow, *, replace: bool = False) -> Outcome:
        stored, scraped = self.get(workflow.workflow_id), stamped(workflow)
        if stored is None:
            self[workflow.workflow_id] = scraped.model_copy(update={"retry_count": scraped.retry_count or 0})
            return "inserted"
        scraped = scraped.model_copy(update={"transcripts": rows_kept(stored.transcripts, scraped.transcripts)})
        after = merged(stored, scraped, content_of, replace=replace)
        if after is None and scraped.retry_count is not None:
            self[workflow.workflow_id] = stored.model_copy(update={"retry_count": scraped.retry_count})
        elif after is not None:
            self[workflow.workflow_id] = after
        return "unchanged" if after is None else "updated"

    def change(self, workflow_id: str, values: dict[str, Any], parts: dict[str, Any]) -> None:
        stored = self[workflow_id]
        changed: dict[str, Any] = dict(values)
        for part, members in parts.items():
            old = getattr(stored, part)
            if part == "transcripts":
                moment = values.get("extracted_at")
                changed[part] = rows_kept(
                    old, stamped(stored.model_copy(update={"extracted_at": moment, part: members})).transcripts
                )
            elif members and old is None:
                made = {"metadata": Metadata, "structure": Structure, "content": Content}[part](**members)
                changed[part] = made.model_copy(
                    update={"extracted_at": made.extracted_at or values.get("extracted_at")}
                )
            elif members:
                changed[part] = old.model_copy(update=members)
        after = stored.model_copy(update=changed)
        self[workflow_id] = after.model_copy(
            update={flag: getattr(after, part) is not None for flag, part in FLAGS.items()}
        )


def folded(batch: Iterable[Workflow], *, replace: bool) -> list[Workflow]:
    """A batch as it is stored: of each id one record."""
    records: dict[str, Workflow] = {}
    for item in batch:
        newer, older = stamped(item), records.get(item.workflow_id)
        if older is not None:
            after = merged(older, newer, raw_of, replace=replace)
            retries = older.retry_count if newer.retry_count is None else newer.retry_count
            newer = (older if after is None else after).model_copy(update={"retry_count": retries})
        records[item.workflow_id] = newer
    return list(records.values())


def assert_same(found: Workflow, expected: Workflow) -> None:
    """Equal in everything; a stamp that was the time of the call can be any."""

    def compare(place: str, one: Any, other: Any) -> None:
        if isinstance(other, tuple) and isinstance(one, tuple) and other and isinstance(other[0], Transcript):
            assert len(one) == len(other), place
            for number, (left, right) in enumerate(zip(one, other, strict=True)):
                compare(f"{place}.{number}", left, right)
        elif isinstance(other, Workflow | Metadata | Structure | Content | Transcript):
            assert type(one) is type(other), place
            for name in type(other).model_fields:
                compare(f"{place}.{name}", getattr(one, name), getattr(other, name))
        elif place.endswith(".updated_at") or (place.endswith(".extracted_at") and other is None):
            assert one is not None, place
        else:
            assert content_of(one) == content_of(other), f"{place}: {one!r}, not {other!r}"

    compare(expected.workflow_id[:8], found, expected)


# --- what is asked ---


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
        assert outcome == model.put(self.workflow, replace=self.replace)


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
        assert await store.delete_workflow(self.workflow_id) == (model.pop(self.workflow_id, None) is not None)


@dataclass(frozen=True)
class Ingest:
    items: list[Workflow | Rejected]
    replace: bool
    touch: bool
    whole: bool

    async def run(self, store: WorkflowStore, model: Model) -> None:
        good = [item for item in self.items if isinstance(item, Workflow) and not any(item is bad for bad in BAD)]
        records = folded(good, replace=self.replace) if self.whole else good

        report = await store.ingest(
            self.items, replace=self.replace, touch=self.touch, batch_size=1_000 if self.whole else 1
        )

        outcomes = [model.put(record, replace=self.replace) for record in records]
        counted = (report.inserted, report.updated, report.unchanged)
        assert counted == tuple(outcomes.count(outcome) for outcome in get_args(Outcome))
        assert (report.rejected, report.repeated) == (len(self.items) - len(good), len(good) - len(records))


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

        pages, after = [], None
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
            title = workflow.metadata and workflow.metadata.title
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
            assert average == (pytest.approx(sum(values) / len(values), abs=0.01) if values else None)
        names = [name[:200] for workflow in all_of for name in set((workflow.metadata or Metadata()).categories or ())]
        assert found.categories == {name: names.count(name) for name in names}




def changes(names: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    given_values = {
        name: values.filter(lambda value: value is not None) if name in NEVER_NONE else values
        for name, values in names.items()
    }
    return st.fixed_dictionaries({}, optional=given_values)


CHANGED_PARTS: Final = {part: changes(names) for part, names in FIELDS.items()} | {"transcripts": TRANSCRIPTS}
OPERATION = st.one_of(
    st.builds(Create, WORKFLOW),
    st.builds(Upsert, WORKFLOW, replace=st.booleans(), touch=st.booleans()),
    st.builds(
        Update,
        ID,
        changes(ROW),
        st.fixed_dictionaries({}, optional=CHANGED_PARTS),
    ),
    st.builds(Delete, ID),
    st.builds(
        Ingest,
        st.lists(WORKFLOW | WORKFLOW | any_of(*BAD), max_size=5),
        replace=st.booleans(),
        touch=st.booleans(),
        whole=st.booleans(),
    ),
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
    st.just(Count()),
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
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(operations=st.lists(OPERATION, min_size=1, max_size=20))
async def test_any_sequence_of_calls_leaves_the_store_equal_to_a_dict(
    quiet: WorkflowStore, session: Session, operations: list[Any]
) -> None:
    note(f"WORKFLOW_STORE_TEST_SEED={SEED}")
    model = Model()
    for statement in EMPTY:
        await session.connection.execute(statement)

    for operation in operations:
        await operation.run(quiet, model)

        stored = await quiet.get_workflows(IDS)
        assert stored.keys() == model.keys()
        for workflow_id, workflow in stored.items():
            assert_same(workflow, model[workflow_id])
