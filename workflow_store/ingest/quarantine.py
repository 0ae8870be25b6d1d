"""Records that could not be stored, kept with their reason and their bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final

from workflow_store.database import Session
from workflow_store.errors import StoreError
from workflow_store.models.fields import is_list, is_object
from workflow_store.models.json import Json
from workflow_store.models.report import Rejected
from workflow_store.models.workflow import Workflow
from workflow_store.queries.quarantine import ADD_TO_QUARANTINE

RAW_BYTES: Final = 1_000_000


async def add(session: Session, rejected: Sequence[Rejected]) -> None:
    """Put records into quarantine, in a statement of its own; a record that is there already is only seen again."""
    # Twice the same bytes from the same source in one statement would be one row hit twice (21000).
    by_hash = {record_hash(item): item for item in rejected}
    if not by_hash:
        return
    items = list(by_hash.values())
    await session.execute(
        ADD_TO_QUARANTINE,
        list(by_hash),
        [storable(item.source) for item in items],
        [item.position for item in items],
        [None if item.workflow_id is None else storable(item.workflow_id) for item in items],
        [storable(item.reason) for item in items],
        [item.raw[:RAW_BYTES] for item in items],
        [len(item.raw) if item.length is None else item.length for item in items],
        [None if item.relative is None else storable(item.relative) for item in items],
        [item.id_from for item in items],
    )


def record_hash(rejected: Rejected) -> bytes:
    """The key of a record in quarantine: a hash over its source and all its bytes."""
    digest = blake2b(digest_size=16)
    source = storable(rejected.source).encode("utf-8")
    digest.update(b"%d:" % len(source))
    digest.update(source)
    digest.update(rejected.raw)
    return digest.digest()


def rejected_workflow(workflow: Workflow, position: int | None, reason: str) -> Rejected:
    """A workflow that can't be stored, with its own JSON as the bytes to keep."""
    try:
        raw = workflow.to_json().raw
    except (StoreError, UnicodeDecodeError):
        raw = _written(workflow.model_dump(exclude_none=True))
    return Rejected(
        source=f"workflow {workflow.workflow_id}",
        reason=reason,
        raw=raw,
        position=position,
        workflow_id=workflow.workflow_id,
    )


def _written(value: object) -> bytes:
    """What can't be JSON as it is: half a character is escaped, and documents are the bytes that they are."""
    if isinstance(value, Json):
        return value.raw
    if isinstance(value, datetime):
        return json.dumps(value.isoformat()).encode("ascii")
    if is_object(value):
        members = (json.dumps(name).encode("ascii") + b":" + _written(member) for name, member in value.items())
        return b"{" + b",".join(members) + b"}"
    if is_list(value):
        return b"[" + b",".join(map(_written, value)) + b"]"
    return json.dumps(value).encode("ascii")


def storable(text: str) -> str:
    """A text as PostgreSQL can hold it: what it can't is spelt out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
