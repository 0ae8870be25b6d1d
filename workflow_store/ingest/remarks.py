"""Remarks on a record that was accepted, for the report."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from workflow_store.models.json import Json
from workflow_store.models.notices import DuplicateKeys
from workflow_store.models.workflow import Workflow
from workflow_store.queries.parameters import Encoded

_REPEATED_KEYS: Final = attrgetter("repeated_keys")


def remarks(workflow: Workflow, record: Encoded) -> tuple[str, ...]:
    """What its reader said of a workflow, and what was found when it was encoded."""
    return (*workflow.notices, *record.cleaned, *_repeating(record, late=False))


def late_remarks(record: Encoded) -> list[str]:
    """What was found in those documents of a record that are read where they are sent."""
    return _repeating(record, late=True)


def _repeating(record: Encoded, *, late: bool) -> list[str]:
    if not any(map(_REPEATED_KEYS, record.documents)):
        return []
    return [
        _repeated(field, document)
        for field, document in zip(record.document_fields, record.documents, strict=True)
        if document.repeated_keys and document.is_counted_late == late
    ]


def _repeated(field: str, document: Json) -> DuplicateKeys:
    keys = document.repeated_keys
    return DuplicateKeys(f"{field}: {keys:,} repeated keys, the last of each stays", keys)
