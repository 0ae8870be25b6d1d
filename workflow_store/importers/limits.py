"""How large and how deep a record may be before it is refused unread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workflow_store.models.cleaning import NulPolicy
from workflow_store.models.json import DEFAULT_MAX_BYTES, DEFAULT_MAX_DEPTH
from workflow_store.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a reader; sizes are bytes of decompressed text.

    Attributes:
        max_line_bytes: a longer line, or a longer file that is one document, is rejected without being held.
        max_document_bytes: a larger JSON column is rejected.
        max_depth: arrays and objects in one another in a JSON column.
        nul: what becomes of a record with NUL or half a character in it: ``reject`` refuses it here; with the others
            the store removes or replaces them, as its own setting ``nul`` says.
        max_held_bytes: template-API answers that wait for their other half; beyond it the oldest are given out alone.
    """

    max_line_bytes: int = 64 * 1024 * 1024
    max_document_bytes: int = DEFAULT_MAX_BYTES
    max_depth: int = DEFAULT_MAX_DEPTH
    max_held_bytes: int = 64 * 1024 * 1024
    nul: NulPolicy = "reject"

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that a store with these settings has."""
        return cls(
            max_line_bytes=max(cls().max_line_bytes, 4 * settings.max_document_bytes),
            max_document_bytes=settings.max_document_bytes,
            max_depth=settings.max_json_depth,
            nul=settings.nul,
        )


DEFAULT_LIMITS: Final = Limits()
