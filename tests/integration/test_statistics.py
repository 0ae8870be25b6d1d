"""What is counted equals what a model counts in Python."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.records import full_workflow, small_workflow
from workflow_store import InvalidField, Metadata, Statistics, Structure, Transcript, Workflow, WorkflowStore
from workflow_store.database import Session
from workflow_store.models.report import Percentiles
from workflow_store.samples import generate

NINE = (
    "total_workflows",
    "layer1_success_count",
    "layer2_success_count",
    "layer3_success_count",
    "layer1_success_rate",
    "layer2_success_rate",
    "layer3_success_rate",
    "avg_quality_score",
    "avg_processing_time",
)


def most_frequent(names: Iterable[str | None], top: int = 1_000) -> dict[str, int]:
    counted = Counter(name for name in names if name is not None)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0].encode()))[:top])


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def percentiles(values: Iterable[float | None]) -> Percentiles:
    measured = [value for value in values if value is not None]
    return Percentiles(*(percentile(measured, share) for share in (0.5, 0.9, 0.99)))


async def test_of_nothing_there_are_zeros_and_no_averages(store: WorkflowStore) -> None:
    statistics = await store.get_statistics(detailed=True)

    empty = Statistics(0, 0, 0, 0, 0.0, 0.0, 0.0, None, None, node_types={})
    assert asdict(statistics) | {"storage": {}} == asdict(empty)


async def test_the_nine_keys_of_the_contract_come_first() -> None:
    assert tuple(field.name for field in fields(Statistics))[:9] == NINE


async def test_everything_counted_equals_the_model(store: WorkflowStore) -> None:
    given = list(generate(150, seed=7))
    await store.ingest(given)

    statistics = await store.get_statistics(top=1_000, detailed=True)

    parts = [(w.metadata, w.structure, w.transcripts or ()) for w in given]
    assert statistics.total_workflows == 150
    assert statistics.layer1_success_count == sum(w.metadata is not None for w in given)
    assert statistics.layer2_success_rate == pytest.approx(sum(w.structure is not None for w in given) / 1.5)
    assert statistics.categories == most_frequent(n for m, _, _ in parts for n in (m and m.categories) or ())
    assert statistics.authors == most_frequent(m.author_name for m, _, _ in parts if m is not None)
    assert statistics.node_types == most_frequent(n for _, s, _ in parts for n in (s and s.node_types) or ())
    assert statistics.extraction_types == most_frequent(s.extraction_type for _, s, _ in parts if s is not None)
    assert statistics.platforms == most_frequent(t.platform for _, _, listed in parts for t in listed)
    assert statistics.languages == most_frequent(t.language for _, _, listed in parts for t in listed)
    assert statistics.quality_percentiles is not None
    assert statistics.time_percentiles is not None
    assert asdict(statistics.quality_percentiles) == pytest.approx(asdict(percentiles(w.quality_score for w in given)))
    assert asdict(statistics.time_percentiles) == pytest.approx(asdict(percentiles(w.processing_time for w in given)))
    for counts in (statistics.categories, statistics.node_types, statistics.authors):
        assert len(counts) > 1
        assert list(counts.values()) == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize("top", [1, 3])
async def test_only_the_most_frequent_names_are_counted(store: WorkflowStore, top: int) -> None:
    given = list(generate(60))
    await store.ingest(given)

    statistics = await store.get_statistics(top=top)

    assert list(statistics.categories.items()) == list(
        most_frequent((n for w in given for n in (w.metadata and w.metadata.categories) or ()), top).items()
    )
    assert len(statistics.authors) == top


async def test_node_types_are_counted_only_when_asked_for(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())

    assert (await store.get_statistics()).node_types is None
    assert (await store.get_statistics(detailed=True)).node_types == {
        "n8n-nodes-base.start": 1,
        "n8n-nodes-base.telegram": 1,
    }


async def test_errors_are_counted_by_kind_without_their_numbers(store: WorkflowStore) -> None:
    messages = [
        "HTTP 503 after 30 s",
        "HTTP 429 after 1 s",
        "timed out",
        None,
        "x" * 81 + "9",
        "x" * 81 + "10",
        "é" * 500,
    ]
    await store.ingest([small_workflow(str(number), error_message=message) for number, message in enumerate(messages)])

    statistics = await store.get_statistics()

    assert statistics.errors == {"HTTP 0 after 0 s": 2, "x" * 80: 2, "timed out": 1, "é" * 80: 1}


async def test_scrapes_are_counted_by_the_day_for_thirty_days(store: WorkflowStore, session: Session) -> None:
    today: datetime = await session.connection.fetchval("SELECT date_trunc('day', now() AT TIME ZONE 'UTC')")
    midnight = today.replace(tzinfo=UTC)
    times = [
        midnight,
        midnight + timedelta(hours=23, minutes=59),
        midnight - timedelta(seconds=1),
        midnight - timedelta(days=29),
        midnight - timedelta(days=29, seconds=1),
    ]
    await store.ingest([small_workflow(str(number), extracted_at=time) for number, time in enumerate(times)])
    await session.connection.execute("SET TIME ZONE 'Pacific/Auckland'")

    statistics = await store.get_statistics()

    days = [(midnight - timedelta(days=back)).date().isoformat() for back in (29, 1, 0)]
    assert list(statistics.scrapes_by_day.items()) == list(zip(days, [1, 1, 2], strict=True))


async def test_storage_is_told_by_table_without_the_migrations_own(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    # What is made in the background is made, and not in the middle of the comparison.
    await store.refresh_search()

    storage = (await store.get_statistics()).storage

    expected = await session.connection.fetch(
        "SELECT table_name::text AS name,"
        " pg_total_relation_size(format('workflow_store.%I', table_name)::regclass) AS size"
        " FROM information_schema.tables WHERE table_schema = 'workflow_store' AND table_name NOT LIKE '%yoyo%'"
    )
    assert {"workflows", "workflow_metadata", "video_transcripts", "workflow_scrape", "workflow_search"} <= set(storage)
    assert storage == {row["name"]: row["size"] for row in expected}
    assert list(storage.values()) == sorted(storage.values(), reverse=True)


async def test_hostile_names_are_counted_as_they_are(store: WorkflowStore) -> None:
    names = ("", '"quoted"', "a\\u0000b", "emoji 🤖", "x" * 201)
    await store.create_workflow(
        Workflow(
            workflow_id="1",
            url="u",
            metadata=Metadata(categories=names, author_name="\u202eauthor"),
            transcripts=(Transcript(video_url="u", language="x" * 300),),
        )
    )

    statistics = await store.get_statistics()

    assert statistics.categories == dict.fromkeys((*names[:4], "x" * 200), 1)
    assert statistics.authors == {"\u202eauthor": 1}
    assert statistics.languages == {"x" * 200: 1}


async def test_a_name_that_a_workflow_lists_twice_is_one_workflow(store: WorkflowStore) -> None:
    twice = ("AI", "AI", "x" * 200, "x" * 201)
    await store.ingest(
        [
            small_workflow("1", metadata=Metadata(categories=twice), structure=Structure(node_types=twice)),
            small_workflow("2", metadata=Metadata(categories=twice), structure=Structure(node_types=("AI",))),
        ]
    )

    statistics = await store.get_statistics(detailed=True)

    assert statistics.categories == {"AI": 2, "x" * 200: 2}
    assert statistics.node_types == {"AI": 2, "x" * 200: 1}


async def test_json_that_is_no_list_does_not_break_the_count(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    await session.connection.execute("UPDATE workflow_store.workflow_metadata SET categories = '{\"a\": 1}'")
    await session.connection.execute("UPDATE workflow_store.workflow_structure SET node_types = '7'")

    statistics = await store.get_statistics(detailed=True)

    assert (statistics.categories, statistics.node_types) == ({}, {})


async def test_it_is_one_statement_and_can_be_written_as_json(
    store: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.create_workflow(full_workflow())
    sent: list[str] = []
    fetch_optional = Session.fetch_optional

    async def counting(self: Session, query: Any, *args: Any) -> Any:
        # The store refreshes its search documents meanwhile, by statements of its own.
        if not query.name.startswith("search/"):
            sent.append(query.name)
        return await fetch_optional(self, query, *args)

    monkeypatch.setattr(Session, "fetch_optional", counting)

    statistics = await store.get_statistics(detailed=True)

    assert sent == ["statistics/count"]
    assert json.loads(json.dumps(asdict(statistics))) == asdict(statistics)


@pytest.mark.parametrize("top", [0, -1, 1_001, True, "10", 2.5])
async def test_a_number_of_names_out_of_bounds_is_refused(store: WorkflowStore, top: Any) -> None:
    with pytest.raises(InvalidField, match="top: 1 to 1,000"):
        await store.get_statistics(top=top)
