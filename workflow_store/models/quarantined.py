"""``Quarantined``: a record that was put aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record in quarantine.

    Attributes:
        id: 32 hexadecimal digits, a hash over source and bytes.
        source: where it comes from: a path, with the line where there is one, or the caller's own name for it.
        reason: why it could not be stored, the last time that was tried.
        position: 0-based position in the source of the ingest that saw it last; None where that is not known.
        workflow_id: its id, where one could be told.
        length: bytes it was read from.
        kept: bytes that are kept of them; the first 1,000,000 at most.
        times_seen: how often an ingest came across it.
        first_seen_at: when the first did.
        last_seen_at: when the last did.
        relative: the path an id may be made of, for what an importer read; None for other records.
        id_from: the importer's option of this name; None for other records.
        raw: the bytes; None in a list, which is without them.
    """

    id: str
    source: str
    reason: str
    position: int | None
    workflow_id: str | None
    length: int
    kept: int
    times_seen: int
    first_seen_at: datetime
    last_seen_at: datetime
    relative: str | None = None
    id_from: str | None = None
    raw: bytes | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of its bytes are kept, so that they can be read again."""
        return 0 < self.length == self.kept
