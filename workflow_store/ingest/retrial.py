"""One record of the quarantine, read and stored again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from workflow_store.database import Session
from workflow_store.database.faults import is_record_fault
from workflow_store.errors import InvalidRecord, RecordError, ServerError
from workflow_store.ingest.batch import write_batch
from workflow_store.ingest.quarantine import add, record_hash, rejected_workflow, storable
from workflow_store.ingest.remarks import late_remarks, remarks
from workflow_store.models.notices import duplicate_keys
from workflow_store.models.quarantined import Quarantined
from workflow_store.models.report import Outcome, Rejected
from workflow_store.models.workflow import Workflow
from workflow_store.queries.catalogue import KNOWN_WORKFLOWS
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Encoded, Limits, fold
from workflow_store.queries.quarantine import (
    DELETE_FROM_QUARANTINE,
    EXPLAIN_QUARANTINE,
    LOCK_IN_QUARANTINE,
    OVERTAKEN,
    to_quarantined,
)
from workflow_store.queries.rows import KnownRow

ReadAgain: TypeAlias = Callable[[Quarantined], Iterable[Workflow | Rejected]]

_STAY: Final = "stay, unless told to overwrite"


@dataclass(slots=True)
class Retrial:
    """What came of one record.

    Attributes:
        outcomes: of the workflows that were read from it and stored, each with its bytes.
        kept: what stays in quarantine, and why.
        notices: remarks on what was stored.
        cleaned: workflows of which something was removed or replaced, as the settings say.
        duplicate_keys: keys that came twice in one object.
    """

    outcomes: list[tuple[Outcome, int]] = field(default_factory=list[tuple[Outcome, int]])
    kept: list[Rejected] = field(default_factory=list[Rejected])
    notices: list[str] = field(default_factory=list[str])
    cleaned: int = 0
    duplicate_keys: int = 0


@dataclass(slots=True)
class _Read:
    """What was read from one record."""

    count: int = 0
    records: dict[str, Encoded] = field(default_factory=dict[str, Encoded])
    workflows: dict[str, Workflow] = field(default_factory=dict[str, Workflow])
    bad: list[Rejected] = field(default_factory=list[Rejected])


async def retry_record(
    session: Session, key: bytes, read: ReadAgain, limits: Limits, *, overwrite: bool
) -> Retrial | None:
    """Store what is in a record, and take it out of quarantine, in one transaction; None where it is not there.

    Args:
        read: makes workflows of its bytes.
        overwrite: store all of it, also where the workflow was stored since then.
    """
    async with session.transaction():
        row = await session.fetch_optional(LOCK_IN_QUARANTINE, key)
        if row is None:
            return None
        record = to_quarantined(row)
        if not record.is_whole:
            # The reason that it has is the one that says more.
            return Retrial(kept=[_kept(record, _why_not(record))])
        found = _read(record, read, limits)
        if not overwrite and found.records:
            overtaken = await session.fetch(OVERTAKEN, sorted(found.records), record.last_seen_at)
            for known in await session.fetch(KNOWN_WORKFLOWS, overtaken) if overtaken else ():
                _fill_only(found, known, record)
        retrial = Retrial()
        await _store(session, found, retrial, record)
        retrial.kept = found.bad
        await _settle(session, key, found)
    return retrial


def _why_not(record: Quarantined) -> str:
    if not record.kept:
        return f"it can't be retried, no bytes of it are known: {record.reason}"
    return f"it can't be retried, only {record.kept:,} of its {record.length:,} bytes were kept: {record.reason}"


def _kept(record: Quarantined, reason: str) -> Rejected:
    return Rejected(record.source, reason, record.raw or b"", record.position, record.workflow_id)


def _read(record: Quarantined, read: ReadAgain, limits: Limits) -> _Read:
    found = _Read()
    try:
        items = list(read(record))
    except RecordError as error:
        items = [_kept(record, str(error))]
    found.count = len(items)
    for item in items:
        if isinstance(item, Rejected):
            found.bad.append(item)
            continue
        try:
            encoded = encode(item, limits, datetime.now(UTC))
        except InvalidRecord as error:
            found.bad.append(_rejected(found, item, str(error), record))
            continue
        earlier = found.records.get(item.workflow_id)
        found.records[item.workflow_id] = encoded if earlier is None else fold(earlier, encoded)
        found.workflows[item.workflow_id] = item
    if not items:
        found.bad.append(_kept(record, "no workflow was read from it"))
    return found


def _rejected(found: _Read, workflow: Workflow, reason: str, record: Quarantined) -> Rejected:
    if found.count == 1:
        # It stays as it is.
        return _kept(record, reason)
    return rejected_workflow(workflow, record.position, reason)


def _fill_only(found: _Read, known: KnownRow, record: Quarantined) -> None:
    """Of a workflow that was stored since then only the parts that it lacks are taken; the others are newer there."""
    given = found.records[known.workflow_id]
    lacking: dict[str, Any] = {}
    older: list[str] = []
    for part, stored, stored_hash, part_hash in (
        ("metadata", known.has_metadata, known.metadata_hash, given.metadata and given.metadata.content_hash),
        ("structure", known.has_structure, known.structure_hash, given.structure and given.structure.content_hash),
        ("content", known.has_content, known.content_hash, given.content and given.content.content_hash),
        ("transcripts", known.transcripts_hash is not None, known.transcripts_hash, given.workflow.transcripts_hash),
    ):
        if not stored:
            lacking[part] = getattr(given, part)
        elif part_hash is not None and part_hash != stored_hash:
            older.append(part)
    metadata, structure = lacking.get("metadata"), lacking.get("structure")
    row = given.workflow._replace(
        url=known.url,
        error_message=known.error_message,
        processing_time=None,
        quality_score=None,
        layer1_success=metadata is not None,
        layer2_success=structure is not None,
        layer3_success=lacking.get("content") is not None,
        transcripts_hash=given.workflow.transcripts_hash if "transcripts" in lacking else None,
        title_key=None if metadata is None else given.workflow.title_key,
        views=None if metadata is None else given.workflow.views,
        node_count=None if structure is None else given.workflow.node_count,
    )
    nothing = {"metadata": None, "structure": None, "content": None, "transcripts": None}
    if older:
        reason = f"a later scrape of this workflow is stored; its {', '.join(older)} {_STAY}"
        found.bad.append(_rejected(found, found.workflows[known.workflow_id], reason, record))
    if older and all(part is None for part in lacking.values()):
        del found.records[known.workflow_id]
    else:
        found.records[known.workflow_id] = given._replace(workflow=row, retry_count=None, **(nothing | lacking))


def _give_up(found: _Read, workflow_id: str, reason: str, record: Quarantined) -> None:
    del found.records[workflow_id]
    found.bad.append(_rejected(found, found.workflows[workflow_id], reason, record))


async def _store(session: Session, found: _Read, retrial: Retrial, record: Quarantined) -> None:
    records = list(found.records.values())
    try:
        outcomes = await _written(session, records)
    except ServerError as error:
        if not is_record_fault(error):
            raise
        if len(records) == 1:
            _give_up(found, records[0].workflow_id, str(error), record)
        else:
            # One of them is at fault: each on its own finds out which.
            for workflow_id, encoded in list(found.records.items()):
                found.records = {workflow_id: encoded}
                await _store(session, found, retrial, record)
        return
    for encoded, outcome in zip(records, outcomes, strict=True):
        retrial.outcomes.append((outcome, encoded.size))
        notices = (*remarks(found.workflows[encoded.workflow_id], encoded), *late_remarks(encoded))
        retrial.cleaned += bool(encoded.cleaned)
        retrial.duplicate_keys += duplicate_keys(notices)
        retrial.notices += [f"{encoded.workflow_id}: {notice}" for notice in notices]


async def _written(session: Session, records: list[Encoded]) -> list[Outcome]:
    if not records:
        return []
    async with session.transaction():
        return await write_batch(session, records)


async def _settle(session: Session, key: bytes, found: _Read) -> None:
    """Leave in quarantine what could not be stored, and nothing else."""
    keys = [record_hash(item) for item in found.bad]
    if key in keys or (found.bad and found.count <= 1):
        same = found.bad[keys.index(key) if key in keys else 0]
        await session.execute(EXPLAIN_QUARANTINE, key, storable(same.reason))
        await add(session, [item for item in found.bad if item is not same])
        return
    await add(session, found.bad)
    await session.fetch(DELETE_FROM_QUARANTINE, [key])
