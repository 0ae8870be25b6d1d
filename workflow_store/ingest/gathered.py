"""What an ingest has gathered of its source, to be written in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from workflow_store.ingest.options import IngestOptions
from workflow_store.ingest.remarks import remarks
from workflow_store.models.notices import duplicate_keys
from workflow_store.models.report import Rejected
from workflow_store.models.workflow import Workflow
from workflow_store.queries.parameters import Encoded, fold

# A batch of large documents is closed before its count is full, so that memory stays flat.
BATCH_BYTES: Final = 32 * 1024 * 1024


@dataclass(slots=True)
class Gathered:
    """A batch: its records by id, what each was made of, and what was put aside or passed over.

    Attributes:
        looks_late: whether documents are looked into when they are to be sent, and not when they are encoded.
        origins: what was given, with its position in the source.
        earlier: those that came before the ones in ``origins``, of ids that came more than once.
        size: bytes of all that was given.
    """

    looks_late: bool = False
    records: dict[str, Encoded] = field(default_factory=dict[str, Encoded])
    origins: dict[str, tuple[Workflow, int]] = field(default_factory=dict[str, tuple[Workflow, int]])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    notices: list[str] = field(default_factory=list[str])
    earlier: dict[str, list[tuple[Workflow, int]]] = field(default_factory=dict[str, list[tuple[Workflow, int]]])
    repeated: int = 0
    skipped: int = 0
    cleaned: int = 0
    duplicate_keys: int = 0
    size: int = 0

    def add(self, workflow: Workflow, position: int, record: Encoded, *, replaces: bool) -> None:
        """Add a record; one of an id that is there already is folded into it, or ``replaces`` it."""
        # What was given is held until it is stored, also where it is folded.
        self.size += record.size
        said = remarks(workflow, record)
        if said:
            self.cleaned += bool(record.cleaned)
            self.remark(record, said)
        earlier = self.records.get(record.workflow_id)
        if earlier is not None:
            self.repeated += 1
            self.earlier.setdefault(record.workflow_id, []).append(self.origins[record.workflow_id])
            if not replaces:
                record = fold(earlier, record)
            elif record.retry_count is None:
                record = record._replace(retry_count=earlier.retry_count)
        self.records[record.workflow_id] = record
        self.origins[record.workflow_id] = workflow, position

    def remark(self, record: Encoded, said: Sequence[str]) -> None:
        """Keep for the report what there is to say of a record."""
        self.duplicate_keys += duplicate_keys(said)
        self.notices.extend(f"{record.workflow_id}: {notice}" for notice in said)

    def given(self, workflow_id: str) -> list[tuple[Workflow, int]]:
        """All that was given under an id, in order, with positions."""
        return [*self.earlier.get(workflow_id, ()), self.origins[workflow_id]]

    def is_full(self, options: IngestOptions) -> bool:
        """Whether it is to be written before more is added."""
        return (
            len(self.records) >= options.batch_size
            or self.size >= BATCH_BYTES
            or len(self.rejected) >= options.batch_size
        )
