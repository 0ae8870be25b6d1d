"""Remarks on a record that was accepted, for the report."""

from __future__ import annotations

from workflow_store.models.json import Json
from workflow_store.models.notices import DuplicateKeys
from workflow_store.models.workflow import Workflow
from workflow_store.queries.parameters import Encoded


def remarks(workflow: Workflow, record: Encoded, *, unseen: bool = False) -> tuple[str, ...]:
    """What its reader said of a workflow, and what was found when it was encoded and looked into.

    Args:
        unseen: its documents are looked into when they are sent; ``late_remarks`` says then what was found in those
            that nobody had read before.
    """
    repeating = [
        _repeated(field, document)
        for field, document in record.documents
        if document.repeated_keys and not (unseen and document.is_counted_late)
    ]
    return (*workflow.notices, *record.cleaned, *repeating)


def late_remarks(record: Encoded) -> list[str]:
    """What was found in the documents of a record that was sent."""
    return [
        _repeated(field, document)
        for field, document in record.documents
        if document.repeated_keys and document.is_counted_late
    ]


def _repeated(field: str, document: Json) -> DuplicateKeys:
    keys = document.repeated_keys
    return DuplicateKeys(f"{field}: {keys:,} repeated keys, the last of each stays", keys)
