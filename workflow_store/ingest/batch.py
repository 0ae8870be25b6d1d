"""One batch: what is new goes in by COPY, what changed is merged, what did not change is left alone.

The order is always the same: parents first, by id, then their parts, then the bookkeeping. Two writers that take their
locks in one order can't deadlock, and a record is not torn between them: whoever locks the parent writes all parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from workflow_store.database import Session, repeated
from workflow_store.database.faults import is_race
from workflow_store.errors import IntegrityViolation
from workflow_store.models.report import Outcome
from workflow_store.queries import catalogue
from workflow_store.queries.parameters import (
    ContentValues,
    Encoded,
    MetadataValues,
    StructureValues,
    transcript_arrays,
)
from workflow_store.queries.query import Query
from workflow_store.queries.rows import KnownRow
from workflow_store.queries.search import COPY_PENDING, MARK_FOR_SEARCH, PendingValues

AnyMerge: TypeAlias = Query[bool, *tuple[Any, ...]]


async def write_batch(
    session: Session, records: Sequence[Encoded], *, replace: bool = False, touch: bool = True
) -> list[Outcome]:
    """Store records in one transaction; the answer has one outcome a record, in their order.

    Args:
        records: with distinct ids.
        replace: a part that a record does not have is deleted instead of kept.
        touch: note that unchanged workflows were seen; False leaves them wholly alone.

    Raises:
        ServerError: nothing of the batch is stored, but for CommitUnknown.
    """
    ordered = sorted(records, key=lambda record: record.workflow_id)
    outcomes = await repeated(session, lambda: _write(session, ordered, replace=replace, touch=touch))
    return [outcomes[record.workflow_id] for record in records]


async def write_one(
    session: Session, record: Encoded, *, replace: bool = False, touch: bool = True, expects_new: bool = False
) -> Outcome:
    """Store one record: a new one in a single statement, any other as a batch of one.

    Args:
        expects_new: spare the question whether it is stored, which one that is new does not need; it is sent in vain
            where it is stored after all.
    """
    known = () if expects_new else await session.fetch(catalogue.KNOWN_WORKFLOWS, [record.workflow_id])
    if not known and await create_one(session, record):
        return "inserted"
    (outcome,) = await write_batch(session, [record], replace=replace, touch=touch)
    return outcome


async def create_one(session: Session, record: Encoded) -> bool:
    """Store a record that is not there yet, in a single statement; False where one is."""
    values: list[Any] = [*record.workflow]
    for part, columns in (
        (record.metadata, MetadataValues),
        (record.structure, StructureValues),
        (record.content, ContentValues),
    ):
        # Without the id, which the parent's row brings.
        values += part[1:] if part is not None else (None,) * (len(columns._fields) - 1)
    values += transcript_arrays(record.transcripts or ())
    values.append(record.retry_count)
    query = catalogue.CREATE_WORKFLOW
    created = await session.fetch_text(query.text, values, query.read)
    return bool(created)


async def _write(session: Session, records: Sequence[Encoded], *, replace: bool, touch: bool) -> dict[str, Outcome]:
    known = await _known(session, records)
    new = [record for record in records if record.workflow_id not in known]
    changed = [
        record
        for record in records
        if record.workflow_id in known and not _covers(known[record.workflow_id], record, replace=replace)
    ]
    outcomes: dict[str, Outcome] = {record.workflow_id: "unchanged" for record in records}
    if not new and not changed:
        await _note(session, records if touch else (), records, known)
        return outcomes
    try:
        async with session.transaction():
            await _copy(session, new)
            outcomes |= {record.workflow_id: "inserted" for record in new}
            if changed:
                outcomes |= await _merge(session, changed, replace=replace)
            await _note(session, _seen(records, outcomes, touch=touch), records, known)
    except IntegrityViolation as error:
        if not is_race(error):
            raise
        # Somebody inserted or deleted one of the ids since they were asked for: the merge asks again, under its locks.
        async with session.transaction():
            outcomes |= await _merge(session, records, replace=replace)
            await _note(session, _seen(records, outcomes, touch=touch), records, {})
    return outcomes


async def _known(session: Session, records: Sequence[Encoded]) -> dict[str, KnownRow]:
    rows = await session.fetch(catalogue.KNOWN_WORKFLOWS, [record.workflow_id for record in records])
    return {row.workflow_id: row for row in rows}


def _covers(known: KnownRow, record: Encoded, *, replace: bool) -> bool:
    """Whether everything the record says is stored already."""
    row = record.workflow
    return (
        known.url == row.url
        and known.error_message == row.error_message
        and (known.quality_score == row.quality_score or (row.quality_score is None and not replace))
        and _part_covers(known.has_metadata, known.metadata_hash, record.metadata, replace=replace)
        and _part_covers(known.has_structure, known.structure_hash, record.structure, replace=replace)
        and _part_covers(known.has_content, known.content_hash, record.content, replace=replace)
        and (known.transcripts_hash == row.transcripts_hash or (row.transcripts_hash is None and not replace))
    )


def _part_covers(stored: bool, known_hash: bytes | None, part: Any, *, replace: bool) -> bool:
    if part is None:
        return not (stored and replace)
    return bool(known_hash == part.content_hash)


async def _copy(session: Session, records: Sequence[Encoded]) -> None:
    if not records:
        return
    await session.copy(catalogue.COPY_WORKFLOWS, [record.workflow for record in records])
    metadata = [record.metadata for record in records if record.metadata is not None]
    structure = [record.structure for record in records if record.structure is not None]
    content = [record.content for record in records if record.content is not None]
    transcripts = [row for record in records if record.transcripts for row in record.transcripts]
    if metadata:
        await session.copy(catalogue.COPY_METADATA, metadata)
    if structure:
        await session.copy(catalogue.COPY_STRUCTURE, structure)
    if content:
        await session.copy(catalogue.COPY_CONTENT, content)
    if transcripts:
        await session.copy(catalogue.COPY_TRANSCRIPTS, transcripts)
    await session.copy(COPY_PENDING, [PendingValues(record.workflow_id) for record in records])


async def _merge(session: Session, records: Sequence[Encoded], *, replace: bool) -> dict[str, Outcome]:
    inserted = set(await session.fetch_many(catalogue.LOCK_WORKFLOW, [record.workflow for record in records]))
    stored = [record for record in records if record.workflow_id not in inserted]
    # Under the locks the answer stands until COMMIT.
    known = await _known(session, stored) if stored else {}
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
    stamps: list[Any] = [(*record.workflow, replace, record.workflow_id in changed) for record in stored]
    updated: set[str] = set(await session.fetch_many(catalogue.STAMP_WORKFLOW, stamps)) if stamps else set()
    outcomes: dict[str, Outcome] = {record.workflow_id: "unchanged" for record in records}
    outcomes |= dict.fromkeys(updated, "updated")
    outcomes |= dict.fromkeys(inserted, "inserted")
    if reworded:
        await session.execute(MARK_FOR_SEARCH, sorted(reworded))
    return outcomes


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


def _seen(records: Sequence[Encoded], outcomes: dict[str, Outcome], *, touch: bool) -> list[Encoded]:
    return [record for record in records if touch or outcomes[record.workflow_id] != "unchanged"]


async def _note(
    session: Session, seen: Sequence[Encoded], records: Sequence[Encoded], known: dict[str, KnownRow]
) -> None:
    if seen:
        await session.execute(
            catalogue.SCRAPE_SEEN,
            [record.workflow_id for record in seen],
            [record.workflow.url for record in seen],
        )
    counts: list[tuple[str, int]] = []
    for record in records:
        row = known.get(record.workflow_id)
        if record.retry_count is not None and (row is None or row.retry_count != record.retry_count):
            counts.append((record.workflow_id, record.retry_count))
    if counts:
        await session.execute_many(catalogue.SET_RETRY_COUNT, counts)
