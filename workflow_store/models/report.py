"""What an operation answers: reports, rejections, pages, statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, Literal, TypeAlias, TypeVar

Outcome: TypeAlias = Literal["inserted", "updated", "unchanged"]
KEPT: Final = 100

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be read or stored.

    Attributes:
        source: where it comes from: a path, with the line where there is one, or the caller's own name for it.
        reason: why, in words a person understands.
        raw: the bytes it was read from, as far as they are known.
        position: 0-based position in the ingest's source; None before it is ingested.
        workflow_id: its id, where one could be told.
        length: how many bytes there were, where ``raw`` is only their beginning; None where it is all of them.
        relative: the path an id may be made of, for what an importer read.
        id_from: the importer's option of this name.
    """

    source: str
    reason: str
    raw: bytes = b""
    position: int | None = None
    workflow_id: str | None = None
    length: int | None = None
    relative: str | None = None
    id_from: str | None = None


@dataclass(slots=True)
class IngestReport:
    """What an ingest did. Counts are records; a record whose batch failed is in none of them.

    Attributes:
        inserted: new workflows.
        updated: workflows of which at least one part changed.
        unchanged: workflows stored already, with the same parts.
        skipped: with ``mode="skip"``, workflows stored already, or given before, and left alone.
        rejected: records put into quarantine.
        repeated: records whose id came again within their batch; they were folded into the later one, and are counted
            once, there.
        cleaned: stored records in which NUL or half characters were removed or replaced, as the setting ``nul`` says.
        duplicate_keys: keys that came twice in one object of an accepted record's JSON; the last value of each stays.
            In an exported line's documents they are counted where those are sent, not where they did not change.
        bytes: encoded size of the accepted records; of a line that was known without being read, the line's.
        seconds: wall time, from the first record asked for to the last commit.
        rejections: the first 100 of the rejected.
        notices: the first 100 remarks on accepted records, such as a date that could not be read.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    repeated: int = 0
    cleaned: int = 0
    duplicate_keys: int = 0
    bytes: int = 0
    seconds: float = 0.0
    rejections: list[Rejected] = field(default_factory=list[Rejected])
    notices: list[str] = field(default_factory=list[str])

    @property
    def stored(self) -> int:
        """Workflows that are in the store as given: inserted, updated and unchanged."""
        return self.inserted + self.updated + self.unchanged

    def count(self, outcome: Outcome, times: int = 1) -> None:
        setattr(self, outcome, getattr(self, outcome) + times)

    def reject(self, rejected: Rejected) -> None:
        self.rejected += 1
        if len(self.rejections) < KEPT:
            self.rejections.append(rejected)

    def notice(self, text: str) -> None:
        if len(self.notices) < KEPT:
            self.notices.append(text)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of a listing.

    Attributes:
        items: at most ``limit`` of them.
        next: cursor of the page behind this one, or None at the end.
        total: how many there are in all, where it was asked for.
    """

    items: tuple[Item, ...]
    next: str | None = None
    total: int | None = None

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Half, nine tenths and 99 of 100 of the values are at most these; interpolated between two values."""

    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts and averages over all workflows; rates in percent, times in seconds; None where there is nothing.

    A count by name holds the most frequent names, the first one first, each cut after 200 characters.

    Attributes:
        quality_percentiles: of the scores that were given.
        time_percentiles: of the processing times that were measured.
        categories: workflows by category.
        authors: workflows by the author's name.
        platforms: transcripts by the platform of their video.
        languages: transcripts by language.
        extraction_types: structures by how they were extracted.
        errors: workflows by their error: its first 80 characters, where 0 stands for any number.
        scrapes_by_day: workflows by the day (UTC, ISO 8601) of ``extracted_at``, in order; of the last 30 days, those
            on which there were any.
        storage: bytes on disk by table, its indexes and large values included.
        node_types: workflows by node type; None where they were not asked for.
    """

    total_workflows: int
    layer1_success_count: int
    layer2_success_count: int
    layer3_success_count: int
    layer1_success_rate: float
    layer2_success_rate: float
    layer3_success_rate: float
    avg_quality_score: float | None
    avg_processing_time: float | None
    quality_percentiles: Percentiles | None = None
    time_percentiles: Percentiles | None = None
    categories: Mapping[str, int] = field(default_factory=dict[str, int])
    authors: Mapping[str, int] = field(default_factory=dict[str, int])
    platforms: Mapping[str, int] = field(default_factory=dict[str, int])
    languages: Mapping[str, int] = field(default_factory=dict[str, int])
    extraction_types: Mapping[str, int] = field(default_factory=dict[str, int])
    errors: Mapping[str, int] = field(default_factory=dict[str, int])
    scrapes_by_day: Mapping[str, int] = field(default_factory=dict[str, int])
    storage: Mapping[str, int] = field(default_factory=dict[str, int])
    node_types: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry of the queue.

    Attributes:
        workflow_id: what is to be scraped.
        url: where it is; None where nobody ever said.
        due_at: when, or since when.
        retry_count: scrapes that failed since the last one that went well.
    """

    workflow_id: str
    url: str | None
    due_at: datetime
    retry_count: int


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry of the queue that is leased to one scraper.

    Attributes:
        workflow_id: what is to be scraped.
        url: where it is; None where nobody ever said.
        token: proves the lease to whatever ends it.
        lease_until: from then on another scraper may claim it.
        due_at: since when it was due.
        retry_count: scrapes that failed since the last one that went well.
    """

    workflow_id: str
    url: str | None
    token: str
    lease_until: datetime
    due_at: datetime
    retry_count: int
