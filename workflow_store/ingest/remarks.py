"""Remarks on a record that was accepted, for the report."""

from __future__ import annotations

from workflow_store.models.json import Json
from workflow_store.models.notices import DuplicateKeys
from workflow_store.models.workflow import Workflow
from workflow_store.queries.parameters import Encoded


def remarks(workflow: Workflow, record: Encoded) -> tuple[str, ...]:
    """What its reader said of a workflow, and what was found when it was encoded."""
    metadata, structure, content = record.metadata, record.structure, record.content
    found = workflow.notices + record.cleaned
    if metadata is not None and metadata.raw_metadata is not None and metadata.raw_metadata.repeated_keys:
        found += (_repeated("metadata.raw_metadata", metadata.raw_metadata),)
    if structure is not None and structure.workflow_json is not None and structure.workflow_json.repeated_keys:
        found += (_repeated("structure.workflow_json", structure.workflow_json),)
    if content is not None and content.raw_content is not None and content.raw_content.repeated_keys:
        found += (_repeated("content.raw_content", content.raw_content),)
    return found


def _repeated(field: str, document: Json) -> DuplicateKeys:
    keys = document.repeated_keys
    return DuplicateKeys(f"{field}: {keys:,} repeated keys, the last of each stays", keys)
