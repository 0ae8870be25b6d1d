"""What an operation answers: reports, rejections, pages, statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """

    source: str
    reason: str
    raw: bytes = b""
    position: int | None = None
    workflow_id: str | None = None


@dataclass(slots=True)
class IngestReport:
    """What an ingest did. Counts are records; a record whose batch failed is in none of them.

    Attributes:
        inserted: new workflows.
        updated: workflows of which at least one part changed.
        unchanged: workflows stored already, with the same parts.
        rejected: records put into quarantine.
        repeated: records whose id came again within their batch; they were folded into the later one, and are counted
            once, there.
        bytes: encoded size of the accepted records.
        seconds: wall time, from the first record asked for to the last commit.
        rejections: the first 100 of the rejected.
        notices: the first 100 remarks on accepted records, such as a date that could not be read.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    repeated: int = 0
    bytes: int = 0
    seconds: float = 0.0
    rejections: list[Rejected] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def stored(self) -> int:
        """Workflows that are in the store as given: inserted, updated and unchanged."""
        return self.inserted + self.updated + self.unchanged

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)

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
class Statistics:
    """Counts and averages over all workflows; rates in percent, times in seconds; None where there is nothing."""

    total_workflows: int
    layer1_success_count: int
    layer2_success_count: int
    layer3_success_count: int
    layer1_success_rate: float
    layer2_success_rate: float
    layer3_success_rate: float
    avg_quality_score: float | None
    avg_processing_time: float | None
