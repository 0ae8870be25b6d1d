"""What is stored already: its rows are locked, compared under the locks, and only what differs is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from workflow_store.database import Session
from workflow_store.models.report import Outcome
from workflow_store.queries import catalogue
from workflow_store.queries.parameters import Encoded, transcript_arrays
from workflow_store.queries.query import Query
from workflow_store.queries.rows import KnownRow

AnyMerge: TypeAlias = Query[bool, *tuple[Any, ...]]


async def known_workflows(session: Session, records: Sequence[Encoded]) -> dict[str, KnownRow]:
    """Those of the records that are stored, with what they are compared with."""
    rows = await session.fetch(catalogue.KNOWN_WORKFLOWS, [record.workflow_id for record in records])
    return {row.workflow_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of records that were merged.

    Attributes:
        outcomes: by id.
        reworded: ids of those whose search documents have to be made anew.
        stamps: by id, ``updated_at`` of what is stored now; None where this transaction has inserted it.
    """

    outcomes: dict[str, Outcome]
    reworded: set[str]
    stamps: dict[str, datetime | None]


def stamps_of(known: Mapping[str, KnownRow]) -> dict[str, datetime | None]:
    """``updated_at`` by id."""
    return {row.workflow_id: row.updated_at for row in known.values()}


async def merge(session: Session, records: Sequence[Encoded], *, replace: bool) -> Merged:
    """Merge records part by part, in the transaction that is open."""
    inserted = set(await session.fetch_many(catalogue.LOCK_WORKFLOW, [record.workflow for record in records]))
    stored = [record for record in records if record.workflow_id not in inserted]
    # Under the locks the answer stands until COMMIT.
    known = await known_workflows(session, stored) if stored else {}
    # Workflows of which a text that search looks into is new; views alone are not.
    reworded = set(inserted)
    changed: set[str] = set()
    metadata = _differing(records, known, "metadata", "metadata_hash")
    if metadata:
        for values, merged in zip(metadata, await session.fetch_many(catalogue.MERGE_METADATA, metadata), strict=True):
            if merged.changed:
                changed.add(values.workflow_id)
            if merged.changed_text:
                reworded.add(values.workflow_id)
    texts = await _changed(
        session, catalogue.MERGE_STRUCTURE, _differing(records, known, "structure", "structure_hash")
    )
    texts |= await _changed(session, catalogue.MERGE_CONTENT, _differing(records, known, "content", "content_hash"))
    texts |= await _merge_transcripts(session, records, known)
    if replace:
        texts |= await _delete_missing(session, stored, known)
    changed |= texts
    reworded |= texts
    rows: list[Any] = [(*record.workflow, replace, record.workflow_id in changed) for record in stored]
    stamped = await session.fetch_many(catalogue.STAMP_WORKFLOW, rows) if rows else ()
    updated = {row.workflow_id: row.updated_at for row in stamped}
    outcomes: dict[str, Outcome] = {record.workflow_id: "unchanged" for record in records}
    outcomes |= dict.fromkeys(updated, "updated")
    outcomes |= dict.fromkeys(inserted, "inserted")
    return Merged(outcomes, reworded, dict.fromkeys(inserted) | stamps_of(known) | updated)


def _differing(records: Sequence[Encoded], known: dict[str, KnownRow], part: str, hash_name: str) -> list[Any]:
    """The rows of a part whose stored hash, asked under the lock, is another one."""
    rows: list[Any] = []
    for record in records:
        values = getattr(record, part)
        row = known.get(record.workflow_id)
        if values is not None and (row is None or getattr(row, hash_name) != values.content_hash):
            rows.append(values)
    return rows


async def _changed(session: Session, query: AnyMerge, rows: Sequence[tuple[Any, ...]]) -> set[str]:
    if not rows:
        return set()
    answers = await session.fetch_many(query, rows)
    return {row[0] for row, changed in zip(rows, answers, strict=True) if changed}


async def _merge_transcripts(session: Session, records: Sequence[Encoded], known: dict[str, KnownRow]) -> set[str]:
    given: list[Encoded] = []
    for record in records:
        row = known.get(record.workflow_id)
        if record.transcripts is not None and (row is None or row.transcripts_hash != record.workflow.transcripts_hash):
            given.append(record)
    changed = await _changed(
        session,
        catalogue.MERGE_TRANSCRIPTS,
        [(record.workflow_id, *transcript_arrays(record.transcripts or ())) for record in given],
    )
    respelt: list[tuple[str, bytes]] = []
    for record in given:
        row = known.get(record.workflow_id)
        if record.workflow_id in changed or row is None:
            continue
        if row.transcripts_hash is None:
            # An empty list where none was ever given: no row changes, but what is known does.
            changed.add(record.workflow_id)
        elif record.workflow.transcripts_hash is not None:
            respelt.append((record.workflow_id, record.workflow.transcripts_hash))
    if respelt:
        await session.execute_many(catalogue.REFRESH_TRANSCRIPTS_HASH, respelt)
    return changed


async def _delete_missing(session: Session, stored: Sequence[Encoded], known: dict[str, KnownRow]) -> set[str]:
    changed: set[str] = set()
    for part, flag, query in (
        ("metadata", "has_metadata", catalogue.DELETE_METADATA),
        ("structure", "has_structure", catalogue.DELETE_STRUCTURE),
        ("content", "has_content", catalogue.DELETE_CONTENT),
        ("transcripts", "transcripts_hash", catalogue.DELETE_TRANSCRIPTS),
    ):
        gone = [
            (record.workflow_id,)
            for record in stored
            if getattr(record, part) is None and getattr(known[record.workflow_id], flag)
        ]
        if gone:
            await session.fetch_many(query, gone)
            changed.update(workflow_id for (workflow_id,) in gone)
    return changed
