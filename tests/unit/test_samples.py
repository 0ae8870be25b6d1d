"""Generated workflows: the same every time, and shaped like the real ones."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import calibrate
from workflow_store.errors import InvalidField
from workflow_store.models import Json, Workflow
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript
from workflow_store.samples import generate

# Of the first 50 records of seed 0. A change of the generator changes it, and with it every figure measured before.
GOLDEN = "f717f95abb3778dabf1ae6d3c59fde239d95cfba7a9cbe5cc17601219b62f510"
# Percentiles of 14,668 public workflows.
BYTES = {0.5: 9_900, 0.9: 28_000, 0.99: 77_000}
NODES = {0.5: 14, 0.9: 34, 0.99: 75}


@pytest.fixture(scope="module")
def records() -> list[Workflow]:
    return list(generate(3_000))


@pytest.fixture(scope="module")
def documents(records: list[Workflow]) -> list[Json]:
    return [found for record in records if record.structure and (found := record.structure.workflow_json)]


@pytest.fixture(scope="module")
def shape(documents: list[Json]) -> calibrate.Shape:
    return calibrate.shape_of(document.raw for document in documents)


def plain(record: Workflow) -> bytes:
    return json.dumps(record.model_dump(), default=str).encode()


def fingerprint(records: list[Workflow]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update(plain(record))
    return digest.hexdigest()


def test_the_first_records_never_change() -> None:
    assert fingerprint(list(generate(50))) == GOLDEN


def test_a_range_is_the_same_wherever_it_starts() -> None:
    whole = list(generate(40, seed=7))

    parts = [*generate(13, seed=7), *generate(27, seed=7, start=13)]

    assert fingerprint(parts) == fingerprint(whole)
    assert plain(next(generate(1, seed=7, start=39))) == plain(whole[39])


def test_another_seed_is_another_scrape_of_the_same_ids() -> None:
    first, second = list(generate(30, seed=1)), list(generate(30, seed=2))

    assert [record.workflow_id for record in first] == [record.workflow_id for record in second]
    assert all(plain(left) != plain(right) for left, right in zip(first, second, strict=True))


def test_ids_are_distinct_numbers_that_the_url_repeats(records: list[Workflow]) -> None:
    ids = [int(record.workflow_id) for record in records]

    assert all(left < right for left, right in pairwise(ids))
    assert all(record.url == f"https://n8n.io/workflows/{record.workflow_id}" for record in records)


def test_nothing_is_generated_for_a_count_of_zero() -> None:
    assert list(generate(0)) == []


@pytest.mark.parametrize(("count", "start", "field"), [(-1, 0, "count"), (1, -1, "start")])
def test_a_negative_number_is_refused_before_anything_is_generated(count: int, start: int, field: str) -> None:
    with pytest.raises(InvalidField, match=field):
        generate(count, start=start)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_sizes_and_node_counts_are_those_of_real_workflows(shape: calibrate.Shape, share: float) -> None:
    assert calibrate.percentile(shape.sizes, share) == pytest.approx(BYTES[share], rel=0.25)
    assert calibrate.percentile(shape.nodes, share) == pytest.approx(NODES[share], rel=0.25)


def test_types_depth_and_compression_are_those_of_real_workflows(shape: calibrate.Shape) -> None:
    assert 0.75 <= shape.sticky_share <= 0.88
    assert 11 < max(shape.depths) <= 15
    assert calibrate.percentile(shape.depths, 0.5) == 7
    assert 600 <= shape.distinct <= 1_000
    assert max(shape.sizes) > 200_000
    # Measured on 600 public workflows: 0.370 and 0.311.
    assert calibrate.percentile(shape.ratios, 0.5) == pytest.approx(0.370, rel=0.2)
    assert shape.total_ratio == pytest.approx(0.311, rel=0.2)


def test_every_json_column_can_be_stored(records: list[Workflow]) -> None:
    found: Counter[str] = Counter()
    for record in records:
        for part in (record.metadata, record.structure, record.content, *(record.transcripts or ())):
            for name, value in part or ():
                if isinstance(value, Json):
                    assert Json.parse(value.raw).raw == value.raw
                    found[name] += 1

    assert found.keys() == {"raw_metadata", "workflow_json", "raw_content", "transcript_json"}


def test_counts_are_those_of_the_json(records: list[Workflow]) -> None:
    for record in records[:400]:
        structure = record.structure
        if structure is None or structure.workflow_json is None:
            continue
        workflow = structure.workflow_json.value
        assert structure.node_count in (None, len(workflow["nodes"]))
        assert structure.connection_count in (None, calibrate.count_edges(workflow))
        assert structure.node_types in (None, tuple(sorted({node["type"] for node in workflow["nodes"]})))


def test_nodes_have_names_and_ids_of_their_own(documents: list[Json]) -> None:
    for document in documents[:400]:
        nodes = document.value["nodes"]
        assert len({node["name"] for node in nodes}) == len(nodes)
        assert len({node["id"] for node in nodes}) == len(nodes)


def test_connections_lead_to_nodes_that_exist(documents: list[Json]) -> None:
    for document in documents[:400]:
        workflow = document.value
        names = {node["name"] for node in workflow["nodes"]}
        ends = {
            link["node"]
            for ports in workflow["connections"].values()
            for outputs in ports.values()
            for output in outputs
            for link in output
        }
        assert ends <= names


def test_a_large_part_of_the_texts_is_beyond_ascii(documents: list[Json]) -> None:
    beyond = sum(not document.raw.isascii() for document in documents)

    assert 0.5 < beyond / len(documents) < 0.95


def test_a_few_layers_failed_and_say_why(records: list[Workflow]) -> None:
    failed = [record for record in records if record.error_message is not None]

    assert 0.02 < len(failed) / len(records) < 0.04
    assert all(None in (record.metadata, record.structure, record.content) for record in failed)
    for record in records:
        if record.error_message is None:
            assert record.metadata is not None
            assert record.structure is not None
            assert record.content is not None


def test_scores_times_and_transcripts_are_as_a_scraper_leaves_them(records: list[Workflow]) -> None:
    scores = [record.quality_score for record in records if record.quality_score is not None]
    times = [record.processing_time for record in records if record.processing_time is not None]
    moments = [record.extracted_at for record in records if record.extracted_at is not None]
    transcripts = [record.transcripts for record in records if record.transcripts]

    assert 0.97 < len(scores) / len(records) < 0.99
    assert 0 <= min(scores) <= max(scores) <= 100
    assert sum(70 <= score <= 95 for score in scores) > 0.8 * len(scores)
    assert sum(times) / len(times) == pytest.approx(14, abs=0.5)
    assert 350 < (max(moments) - min(moments)).days < 366
    assert 0.17 < len(transcripts) / len(records) < 0.23
    assert {len(each) for each in transcripts} == {1, 2}
    assert all(record.content.has_videos for record in records if record.transcripts and record.content)


def test_transcripts_have_segments_and_a_length(records: list[Workflow]) -> None:
    for transcript in [each for record in records for each in record.transcripts or ()]:
        if transcript.transcript_json is not None and transcript.transcript_text is not None:
            segments = transcript.transcript_json.value["segments"]
            assert " ".join(segment["text"] for segment in segments) == transcript.transcript_text
            assert 1_500 < len(transcript.transcript_text) < 7_000
            if transcript.duration is not None:
                assert transcript.duration == sum(segment["duration"] for segment in segments) / 1_000


def test_titles_share_common_words_and_hold_rare_ones(records: list[Workflow]) -> None:
    titles = [record.metadata.title for record in records if record.metadata and record.metadata.title]
    met = Counter(word for title in titles for word in set(title.split()))

    assert 0.28 < met["Automate"] / len(titles) < 0.38
    assert sum(count <= 2 for count in met.values()) > 200


def test_dates_are_in_order(records: list[Workflow]) -> None:
    for record in records:
        page = record.metadata
        if page is not None and page.workflow_created_at is not None and page.workflow_updated_at is not None:
            assert page.workflow_created_at <= page.workflow_updated_at
            assert 2019 <= page.workflow_created_at.year <= page.workflow_updated_at.year <= 2026


def test_every_optional_field_is_missing_now_and_then(records: list[Workflow]) -> None:
    missing: set[str] = set()
    present: set[str] = set()
    for record in records:
        for part in (record, record.metadata, record.structure, record.content, *(record.transcripts or ())):
            for name, value in part or ():
                (missing if value is None else present).add(f"{type(part).__name__}.{name}")
    optional = {
        f"{model.__name__}.{name}"
        for model in (Workflow, Metadata, Structure, Content, Transcript)
        for name, field in model.model_fields.items()
        if not field.is_required() and field.default is None
    }

    assert optional - missing == set()
    # The store itself sets this one.
    assert optional - present == {"Workflow.updated_at"}


def test_the_largest_documents_hold_one_very_long_string(documents: list[Json]) -> None:
    largest = max(documents, key=len)

    pinned = largest.value["pinData"]

    assert max(len(json.dumps(row)) for rows in pinned.values() for row in rows) > len(largest) // 4


def test_the_comparison_reads_a_corpus_and_prints_both_sides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, packed = tmp_path / "corpus.jsonl", tmp_path / "corpus.jsonl.gz"
    workflow = {"nodes": [{"type": "a"}, {"type": "b"}], "connections": {"x": {"main": [[{"node": "y"}], None]}}}
    text = json.dumps({"workflow": workflow}) + "\n"
    plain.write_text(text * 3)
    packed.write_bytes(gzip.compress(text.encode()))

    calibrate.main(["--corpus", str(plain), "--count", "20"])
    calibrate.main(["--corpus", str(packed)])

    printed = capsys.readouterr().out
    assert "bytes p50" in printed
    assert "20 generated" in printed
    assert "1 generated" in printed


def test_the_comparison_says_when_there_is_no_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        calibrate.main(["--corpus", str(tmp_path / "absent.jsonl")])

    assert "WORKFLOW_STORE_CORPUS" in capsys.readouterr().err
