"""What is not stored yet: by COPY, or in one statement, where there are so few that the turns would cost more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workflow_store.database import Session
from workflow_store.queries import catalogue
from workflow_store.queries.given import record_hash
from workflow_store.queries.parameters import (
    ContentValues,
    Encoded,
    MetadataValues,
    StructureValues,
    TranscriptValues,
    WorkflowValues,
    arguments_of,
    arrays_of,
)

# Of twice as many neither way is faster (docs/performance.md). The server holds an array several times, and what it
# makes of it in its work_mem, 4 MB where nobody set it; COPY takes rows as they come.
_FEW: Final = 64
_FEW_BYTES: Final = 2 * 1024 * 1024


def are_few(records: Sequence[Encoded]) -> bool:
    """Whether ``create_few`` costs less than COPY."""
    return len(records) <= _FEW and sum(record.size for record in records) <= _FEW_BYTES


async def create_one(session: Session, record: Encoded) -> bool:
    """Store a record that is not there yet, in a single statement; False where one is."""
    created = await session.fetch_values(catalogue.CREATE_WORKFLOW, arguments_of(record))
    return bool(created)


async def create_few(session: Session, records: Sequence[Encoded], *, replace: bool) -> None:
    """Store records that are not there yet, with their bookkeeping, in a single statement.

    Args:
        records: in the order of their ids.
        replace: as they were given, for the hash they are recognised by.
    """
    metadata, structure, content, transcripts = _parts_of(records)
    values = arrays_of(WorkflowValues, [record.workflow for record in records])
    values += arrays_of(MetadataValues, metadata)
    values += arrays_of(StructureValues, structure)
    values += arrays_of(ContentValues, content)
    values += arrays_of(TranscriptValues, transcripts)
    values.append([record.retry_count for record in records])
    values.append([record_hash(record, replace=replace) for record in records])
    await session.fetch_values(catalogue.CREATE_WORKFLOWS, values)


async def copy(session: Session, records: Sequence[Encoded]) -> None:
    """Store records that are not there yet, without their bookkeeping, in the transaction that is open.

    Args:
        records: in the order of their ids.
    """
    if not records:
        return
    metadata, structure, content, transcripts = _parts_of(records)
    await session.copy(catalogue.COPY_WORKFLOWS, [record.workflow for record in records])
    if metadata:
        await session.copy(catalogue.COPY_METADATA, metadata)
    if structure:
        await session.copy(catalogue.COPY_STRUCTURE, structure)
    if content:
        await session.copy(catalogue.COPY_CONTENT, content)
    if transcripts:
        await session.copy(catalogue.COPY_TRANSCRIPTS, transcripts)


def _parts_of(
    records: Sequence[Encoded],
) -> tuple[list[MetadataValues], list[StructureValues], list[ContentValues], list[TranscriptValues]]:
    return (
        [record.metadata for record in records if record.metadata is not None],
        [record.structure for record in records if record.structure is not None],
        [record.content for record in records if record.content is not None],
        [row for record in records if record.transcripts for row in record.transcripts],
    )
