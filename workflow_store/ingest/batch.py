"""One batch: what is new goes in by COPY or one statement, what changed is merged, what did not change is left alone.

The order is always the same: parents first, by id, then their parts, then the bookkeeping. Two writers that take their
locks in one order can't deadlock, and a record is not torn between them: whoever locks the parent writes all parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from workflow_store.database import Session, repeated
from workflow_store.database.faults import is_race
from workflow_store.errors import CommitUnknown, IntegrityViolation
from workflow_store.ingest.creation import are_few, copy, create_few, create_one
from workflow_store.ingest.merge import known_workflows, merge, stamps_of
from workflow_store.ingest.turns import Turn
from workflow_store.models.report import Outcome
from workflow_store.queries import catalogue
from workflow_store.queries.collections import EXISTING_WORKFLOWS
from workflow_store.queries.encoding import check_documents
from workflow_store.queries.given import record_hash
from workflow_store.queries.parameters import Encoded, Limits
from workflow_store.queries.rows import KnownRow
from workflow_store.telemetry.watching import count, watchers

_ID_OF: Final = attrgetter("workflow_id")


async def write_batch(
    session: Session,
    records: Sequence[Encoded],
    *,
    replace: bool = False,
    touch: bool = True,
    unseen: Limits | None = None,
) -> list[Outcome]:
    """Store records in one transaction; the answer has one outcome a record, in their order.

    Args:
        records: with distinct ids.
        replace: a part that a record does not have is deleted instead of kept.
        touch: note that unchanged workflows were seen; False leaves them wholly alone.
        unseen: what documents may hold, where nobody looked into those of the records yet; only what is to be sent is
            looked into.

    Raises:
        InvalidRecord: a document that was unseen can't be stored; nothing of the batch is.
        ServerError: nothing of the batch is stored, but for CommitUnknown.
    """
    ordered = sorted(records, key=_ID_OF)
    outcomes = await repeated(session, lambda: _write(session, ordered, replace=replace, touch=touch, unseen=unseen))
    return [outcomes[record.workflow_id] for record in records]


async def write_one(
    session: Session, record: Encoded, *, replace: bool = False, touch: bool = True, expects_new: bool = False
) -> Outcome:
    """Store one record: a new one in a single statement, any other as a batch of one.

    Args:
        expects_new: spare the question whether it is stored, which one that is new does not need; it is sent in vain
            where it is stored after all.
    """
    known = {} if expects_new else await known_workflows(session, [record])
    if not known and await create_one(session, record):
        return "inserted"
    if known and covers(known[record.workflow_id], record, replace=replace):
        await _note(session, [record] if touch else (), [record], known, stamps_of(known), (), replace=replace)
        return "unchanged"
    (outcome,) = await write_batch(session, [record], replace=replace, touch=touch)
    return outcome


def tell(outcomes: Sequence[Outcome | None]) -> None:
    """Tell who watches of a batch that was committed."""
    if watchers:
        count("batch", len(outcomes))
        for outcome, times in Counter(outcomes).items():
            if outcome is not None:
                count("workflows", times, outcome)


async def insert_batch(session: Session, records: Sequence[Encoded]) -> list[bool]:
    """Store those records that are not there yet, in one transaction, and leave the others wholly alone.

    Args:
        records: with distinct ids.

    Returns:
        Which of them were new, in their order.

    Raises:
        ServerError: nothing of the batch is stored, but for CommitUnknown.
    """
    ordered = sorted(records, key=_ID_OF)
    inserted = await repeated(session, lambda: _insert(session, ordered))
    return [record.workflow_id in inserted for record in records]


async def _insert(session: Session, records: Sequence[Encoded]) -> set[str]:
    stored = set(await session.fetch(EXISTING_WORKFLOWS, _ids_of(records)))
    new = [record for record in records if record.workflow_id not in stored]
    if not new:
        return set()
    try:
        async with session.transaction():
            await _create(session, new, replace=False)
    except IntegrityViolation as error:
        if not is_race(error):
            raise
        # Somebody inserted one of them since they were asked for: one statement each finds out which.
        async with session.transaction():
            return {record.workflow_id for record in new if await create_one(session, record)}
    return {record.workflow_id for record in new}


def _ids_of(records: Sequence[Encoded]) -> list[str]:
    return [record.workflow_id for record in records]


async def _look_into(records: Iterable[Encoded], unseen: Limits | None) -> None:
    if unseen is None:
        return
    turn = Turn()
    for record in records:
        check_documents(record, unseen)
        if turn.is_over:
            await turn.pass_on()


async def _write(
    session: Session, records: Sequence[Encoded], *, replace: bool, touch: bool, unseen: Limits | None
) -> dict[str, Outcome]:
    known = await known_workflows(session, records)
    new = [record for record in records if record.workflow_id not in known]
    changed = [
        record
        for record in records
        if record.workflow_id in known and not covers(known[record.workflow_id], record, replace=replace)
    ]
    outcomes: dict[str, Outcome] = {record.workflow_id: "unchanged" for record in records}
    stamps = stamps_of(known)
    if not new and not changed:
        await _note(session, records if touch else (), records, known, stamps, (), replace=replace)
        return outcomes
    await _look_into(chain(new, changed), unseen)
    try:
        outcomes |= {record.workflow_id: "inserted" for record in new}
        try:
            async with session.transaction():
                if len(new) == len(records):
                    await _create(session, new, replace=replace)
                    return outcomes
                await copy(session, new)
                reworded = set(_ids_of(new))
                if changed:
                    merged = await merge(session, changed, replace=replace)
                    outcomes |= merged.outcomes
                    reworded |= merged.reworded
                    stamps |= merged.stamps
                seen = _seen(records, outcomes, touch=touch)
                await _note(session, seen, records, known, stamps, reworded, replace=replace)
        except IntegrityViolation as error:
            if not is_race(error):
                raise
            # Somebody inserted or deleted one of the ids since they were asked for: the merge asks again, under its
            # locks.
            await _look_into(records, unseen)
            async with session.transaction():
                merged = await merge(session, records, replace=replace)
                outcomes |= merged.outcomes
                seen = _seen(records, outcomes, touch=touch)
                await _note(session, seen, records, {}, merged.stamps, merged.reworded, replace=replace)
    except CommitUnknown as doubt:
        doubt.attempted = outcomes
        raise
    return outcomes


async def _create(session: Session, records: Sequence[Encoded], *, replace: bool) -> None:
    """Store records that are not there yet, with their bookkeeping, in the transaction that is open."""
    if are_few(records):
        await create_few(session, records, replace=replace)
    else:
        await copy(session, records)
        await _note(session, records, records, {}, {}, _ids_of(records), replace=replace)


def covers(known: KnownRow, record: Encoded, *, replace: bool) -> bool:
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


def _seen(records: Sequence[Encoded], outcomes: dict[str, Outcome], *, touch: bool) -> list[Encoded]:
    return [record for record in records if touch or outcomes[record.workflow_id] != "unchanged"]


async def _note(
    session: Session,
    seen: Sequence[Encoded],
    records: Sequence[Encoded],
    known: dict[str, KnownRow],
    stamps: Mapping[str, datetime | None],
    reworded: Collection[str],
    *,
    replace: bool,
) -> None:
    """The bookkeeping of a batch: what was seen, of which the texts are ``reworded``, and counts that were given.

    What was seen is known by its hash when it is given again, while its row has its stamp of now.
    """
    if seen:
        ids = _ids_of(seen)
        await session.execute(
            catalogue.SCRAPE_SEEN,
            ids,
            [record.workflow.url for record in seen],
            list(reworded),
            [record_hash(record, replace=replace) for record in seen],
            [None if stamp is None else stamp.isoformat() for stamp in map(stamps.get, ids)],
        )
    counts: list[tuple[str, int]] = []
    for record in records:
        row = known.get(record.workflow_id)
        if record.retry_count is not None and (row is None or row.retry_count != record.retry_count):
            counts.append((record.workflow_id, record.retry_count))
    if counts:
        await session.execute_many(catalogue.SET_RETRY_COUNT, counts)
