"""Records that could not be stored, kept with their reason and their bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from workflow_store.database import Session
from workflow_store.errors import StoreError
from workflow_store.models.report import Rejected
from workflow_store.models.workflow import Workflow
from workflow_store.queries import catalogue

RAW_BYTES: Final = 1_000_000


async def add(session: Session, rejected: Sequence[Rejected]) -> None:
    """Put records into quarantine, in a statement of its own; a record that is there already is only seen again."""
    # Twice the same bytes from the same source in one statement would be one row hit twice (21000).
    by_hash = {record_hash(item): item for item in rejected}
    if not by_hash:
        return
    items = list(by_hash.values())
    await session.execute(
        catalogue.ADD_TO_QUARANTINE,
        list(by_hash),
        [_storable(item.source) for item in items],
        [item.position for item in items],
        [None if item.workflow_id is None else _storable(item.workflow_id) for item in items],
        [_storable(item.reason) for item in items],
        [item.raw[:RAW_BYTES] for item in items],
        [len(item.raw) for item in items],
    )


def record_hash(rejected: Rejected) -> bytes:
    """The key of a record in quarantine: a hash over its source and all its bytes."""
    digest = blake2b(digest_size=16)
    source = _storable(rejected.source).encode("utf-8")
    digest.update(b"%d:" % len(source))
    digest.update(source)
    digest.update(rejected.raw)
    return digest.digest()


def rejected_workflow(workflow: Workflow, position: int, reason: str) -> Rejected:
    """A workflow that can't be stored, with its own JSON as the bytes to keep."""
    try:
        raw = workflow.to_json().raw
    except StoreError:
        # What can't be JSON as it is, half a character say, is escaped; documents become strings, so that all of it
        # is there.
        raw = json.dumps(workflow.model_dump(exclude_none=True), default=str).encode("ascii")
    return Rejected(
        source=f"workflow {workflow.workflow_id}",
        reason=reason,
        raw=raw,
        position=position,
        workflow_id=workflow.workflow_id,
    )


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
